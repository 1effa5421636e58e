// One call from JavaScript: its arguments, checked, and its results.
#pragma once

#include <napi.h>

#include <map>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "tensor_store.h"

namespace secateur {

using Tensors = std::vector<at::Tensor>;
using Integers = std::vector<int64_t>;
using MaybeTensor = c10::optional<at::Tensor>;
using Handles = std::vector<double>;
using TensorByHandle = std::unordered_map<double, at::Tensor>;

/** What a function read of its arguments, by position. */
using Arguments = std::map<size_t, std::variant<double, int64_t, bool, std::string, Integers, Handles>>;

class Call {
 public:
  /** @param noted takes what is read of the arguments; may be null */
  Call(const Napi::CallbackInfo& info, TensorStore& store, Arguments* noted) : info_(&info), store_(store), noted_(noted) {}
  /** The same call again, without JavaScript. Handles that `replaced` has stand for its tensors. */
  Call(const Arguments& given, const TensorByHandle& replaced, TensorStore& store) : store_(store), given_(&given), replaced_(&replaced) {}

  at::Tensor tensor(size_t position);
  MaybeTensor optionalTensor(size_t position);
  /** The filter of a convolution, in the layout of filters. There it stays, so that it moves only once. */
  at::Tensor filter(size_t position);
  Tensors tensors(size_t position);
  int64_t integer(size_t position) const;
  double number(size_t position) const;
  bool flag(size_t position) const;
  std::string text(size_t position) const;
  /** @param length how many are expected; -1 for any number */
  Integers integers(size_t position, int64_t length = -1) const;
  /** The eight integers that say how a window moves over an input, so small that positions computed from them never overflow. */
  Integers window(size_t position) const;
  Napi::Value value(size_t position) const { return (*info_)[position]; }

  Napi::Env env() const { return info_->Env(); }
  TensorStore& store() const { return store_; }
  /** Tensors read so far, for the error message and for telling a fresh output from a view of an input. */
  const Tensors& inputs() const { return inputs_; }
  /** The handles of `inputs`. */
  const Handles& handles() const { return handles_; }
  bool sharesStorageWithInput(const at::Tensor& output) const;

 private:
  template <typename T, typename Read>
  T argument(size_t position, Read read) const;
  at::Tensor tensorOf(double handle);

  const Napi::CallbackInfo* info_ = nullptr;
  TensorStore& store_;
  Arguments* noted_ = nullptr;
  const Arguments* given_ = nullptr;
  const TensorByHandle* replaced_ = nullptr;
  Tensors inputs_;
  Handles handles_;
};

/** A native function. Exactly one of `one`, `many` and `plain` is set. */
struct Function {
  const char* name;
  at::Tensor (*one)(Call&) = nullptr;
  Tensors (*many)(Call&) = nullptr;
  Napi::Value (*plain)(Call&) = nullptr;
  /** Whether an output may share the memory of an input. */
  bool shares = false;
  /** Of a plain one: whether it says the same of all tensors of the same shape and type. */
  bool describes = false;
};

inline Function one(const char* name, at::Tensor (*run)(Call&)) { return {name, run, nullptr, nullptr}; }
inline Function view(const char* name, at::Tensor (*run)(Call&)) { return {name, run, nullptr, nullptr, true}; }
inline Function many(const char* name, Tensors (*run)(Call&)) { return {name, nullptr, run, nullptr}; }
inline Function plain(const char* name, Napi::Value (*run)(Call&)) { return {name, nullptr, nullptr, run}; }
inline Function description(const char* name, Napi::Value (*run)(Call&)) { return {name, nullptr, nullptr, run, false, true}; }

using Functions = std::vector<Function>;

/** The outputs of a function that is not plain. One that is a view of an input is copied, so that every output owns its memory. */
Tensors outputsOf(const Function& function, Call& call);
/** What went wrong, with the function's name, its input tensors and libtorch's message. */
std::string failureOf(const Function& function, const Call& call, const std::exception& error);

/** Runs a function for JavaScript: results become handles, a C++ exception becomes a JavaScript Error. A recording notes it. */
Napi::Value run(const Function& function, const Napi::CallbackInfo& info, TensorStore& store);

}  // namespace secateur
