// One call from JavaScript: its arguments, checked, and its results.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "tensor_store.h"

namespace secateur {

using Tensors = std::vector<at::Tensor>;
using Integers = std::vector<int64_t>;
using MaybeTensor = c10::optional<at::Tensor>;

class Call {
 public:
  Call(const Napi::CallbackInfo& info, TensorStore& store) : info_(info), store_(store) {}

  at::Tensor tensor(size_t position);
  MaybeTensor optionalTensor(size_t position);
  Tensors tensors(size_t position);
  int64_t integer(size_t position) const;
  double number(size_t position) const;
  bool flag(size_t position) const;
  std::string text(size_t position) const;
  /** @param length how many are expected; -1 for any number */
  Integers integers(size_t position, int64_t length = -1) const;
  /** The eight integers that say how a window moves over an input, so small that positions computed from them never overflow. */
  Integers window(size_t position) const;
  Napi::Value value(size_t position) const { return info_[position]; }

  Napi::Env env() const { return info_.Env(); }
  TensorStore& store() const { return store_; }
  /** Tensors read so far, for the error message and for telling a fresh output from a view of an input. */
  const Tensors& inputs() const { return inputs_; }
  bool sharesStorageWithInput(const at::Tensor& output) const;

 private:
  at::Tensor tensorOf(const Napi::Value& value, size_t position);

  const Napi::CallbackInfo& info_;
  TensorStore& store_;
  Tensors inputs_;
};

/** A native function. Exactly one of the three is set. */
struct Function {
  const char* name;
  at::Tensor (*one)(Call&) = nullptr;
  Tensors (*many)(Call&) = nullptr;
  Napi::Value (*plain)(Call&) = nullptr;
};

inline Function one(const char* name, at::Tensor (*run)(Call&)) { return {name, run, nullptr, nullptr}; }
inline Function many(const char* name, Tensors (*run)(Call&)) { return {name, nullptr, run, nullptr}; }
inline Function plain(const char* name, Napi::Value (*run)(Call&)) { return {name, nullptr, nullptr, run}; }

using Functions = std::vector<Function>;

/**
 * Runs a function for JavaScript: results become handles, a C++ exception becomes a JavaScript Error that names the
 * function, its input tensors and libtorch's message. An output that is a view of an input is copied, so that every
 * handle owns its memory.
 */
Napi::Value run(const Function& function, const Napi::CallbackInfo& info, TensorStore& store);

}  // namespace secateur
