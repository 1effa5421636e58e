#include "call.h"

#include <c10/core/InferenceMode.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "device.h"
#include "filter_layout.h"
#include "trace.h"

namespace secateur {

namespace {

const char* typeName(const Napi::Value& value) {
  switch (value.Type()) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: return "a boolean";
    case napi_number: return "a number";
    case napi_string: return "a string";
    case napi_function: return "a function";
    default: return "an object";
  }
}

int64_t wholeNumber(const Napi::Value& value, const char* role) {
  TORCH_CHECK(value.IsNumber(), "expected an integer for ", role, ", but got ", typeName(value));
  const double number = value.As<Napi::Number>().DoubleValue();
  TORCH_CHECK(std::floor(number) == number && std::abs(number) < 9.1e15, "expected an integer for ", role, ", but got ", number);
  return static_cast<int64_t>(number);
}

std::string argumentName(size_t position) { return "argument " + std::to_string(position + 1); }

std::string describe(const at::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.scalar_type() << tensor.sizes();
  return text.str();
}

/** libtorch's own words without the C++ backtrace, and without the assertion's file name. */
std::string messageOf(const std::exception& error) {
  const auto* torchError = dynamic_cast<const c10::Error*>(&error);
  const std::string whole = torchError ? torchError->what_without_backtrace() : error.what();
  std::istringstream lines(whole);
  std::string line, message;
  for (int kept = 0; kept < 3 && std::getline(lines, line);) {
    if (line.empty()) continue;
    if (line.rfind("Exception raised from", 0) == 0) break;
    message += (kept++ ? "\n" : "") + line;
  }
  return message;
}

/** All or none: what was kept before a failure is released again. */
Handles keepAll(Call& call, Tensors outputs) {
  Handles kept;
  kept.reserve(outputs.size());
  try {
    for (at::Tensor& output : outputs) kept.push_back(call.store().add(std::move(output)));
  } catch (...) {
    for (const double handle : kept) call.store().release(handle);
    throw;
  }
  return kept;
}

Napi::Value asJavaScript(Napi::Env env, const Handles& handles) {
  auto array = Napi::Array::New(env, handles.size());
  for (uint32_t i = 0; i < handles.size(); ++i) array.Set(i, Napi::Number::New(env, handles[i]));
  return array;
}

Integers integersOf(const Napi::Value& value, const std::string& role, int64_t length) {
  TORCH_CHECK(value.IsArray(), "expected an array of integers for ", role, ", but got ", typeName(value));
  const auto array = value.As<Napi::Array>();
  TORCH_CHECK(length < 0 || array.Length() == length, "expected ", length, " integers for ", role, ", but got ", array.Length());
  // Grows with what is there: an array of length 2^32 - 1 may be all holes.
  Integers result;
  for (uint32_t i = 0; i < array.Length(); ++i) result.push_back(wholeNumber(array.Get(i), role.c_str()));
  return result;
}

double handleOf(const Napi::Value& value, size_t position) {
  TORCH_CHECK(value.IsNumber(), "expected a tensor handle for ", argumentName(position), ", but got ", typeName(value));
  return value.As<Napi::Number>().DoubleValue();
}

}  // namespace

template <typename T, typename Read>
T Call::argument(size_t position, Read read) const {
  if (given_) return std::get<T>(given_->at(position));
  T result = read((*info_)[position]);
  if (noted_) (*noted_)[position] = result;
  return result;
}

at::Tensor Call::tensorOf(double handle) {
  handles_.push_back(handle);
  if (replaced_) {
    const auto found = replaced_->find(handle);
    if (found != replaced_->end()) return inputs_.emplace_back(found->second);
  }
  // Made before the device was chosen: it moves once, so that what is changed in place stays one tensor.
  if (store_.get(handle).device() != device()) store_.replace(handle, store_.get(handle).to(device()));
  return inputs_.emplace_back(store_.get(handle));
}

at::Tensor Call::tensor(size_t position) {
  return tensorOf(argument<double>(position, [&](const Napi::Value& value) { return handleOf(value, position); }));
}

MaybeTensor Call::optionalTensor(size_t position) {
  const auto handles = argument<Handles>(position, [&](const Napi::Value& value) {
    return value.IsNull() || value.IsUndefined() ? Handles{} : Handles{handleOf(value, position)};
  });
  return handles.empty() ? c10::nullopt : MaybeTensor(tensorOf(handles[0]));
}

at::Tensor Call::filter(size_t position) {
  const at::Tensor given = tensor(position);
  if (given.dim() != 4 || hasFilterLayout(given)) return given;
  const at::Tensor settled = inFilterLayout(given);
  if (!replaced_) store_.replace(handles_.back(), settled);
  return inputs_.back() = settled;
}

Tensors Call::tensors(size_t position) {
  const auto handles = argument<Handles>(position, [&](const Napi::Value& value) {
    TORCH_CHECK(value.IsArray(), "expected an array of tensor handles for ", argumentName(position), ", but got ", typeName(value));
    const auto array = value.As<Napi::Array>();
    Handles result;
    for (uint32_t i = 0; i < array.Length(); ++i) result.push_back(handleOf(array.Get(i), position));
    return result;
  });
  Tensors result;
  for (const double handle : handles) result.push_back(tensorOf(handle));
  return result;
}

int64_t Call::integer(size_t position) const {
  return argument<int64_t>(position, [&](const Napi::Value& value) { return wholeNumber(value, argumentName(position).c_str()); });
}

double Call::number(size_t position) const {
  return argument<double>(position, [&](const Napi::Value& value) {
    TORCH_CHECK(value.IsNumber(), "expected a number for ", argumentName(position), ", but got ", typeName(value));
    return value.As<Napi::Number>().DoubleValue();
  });
}

bool Call::flag(size_t position) const {
  return argument<bool>(position, [&](const Napi::Value& value) {
    TORCH_CHECK(value.IsBoolean(), "expected a boolean for ", argumentName(position), ", but got ", typeName(value));
    return value.As<Napi::Boolean>().Value();
  });
}

std::string Call::text(size_t position) const {
  return argument<std::string>(position, [&](const Napi::Value& value) {
    TORCH_CHECK(value.IsString(), "expected a string for ", argumentName(position), ", but got ", typeName(value));
    return value.As<Napi::String>().Utf8Value();
  });
}

Integers Call::integers(size_t position, int64_t length) const {
  return argument<Integers>(position, [&](const Napi::Value& value) { return integersOf(value, argumentName(position), length); });
}

Integers Call::window(size_t position) const {
  const Integers result = integers(position, 8);
  for (const int64_t number : result) {
    TORCH_CHECK(std::abs(number) <= std::numeric_limits<int32_t>::max(), "expected sizes, strides and paddings below 2^31 for ",
                argumentName(position), ", but got ", number);
  }
  return result;
}

bool Call::sharesStorageWithInput(const at::Tensor& output) const {
  for (const at::Tensor& input : inputs_) {
    if (output.storage().unsafeGetStorageImpl() == input.storage().unsafeGetStorageImpl()) return true;
  }
  return false;
}

std::string failureOf(const Function& function, const Call& call, const std::exception& error) {
  std::string text = "torch " + std::string(function.name) + "(";
  for (size_t i = 0; i < call.inputs().size(); ++i) text += (i ? ", " : "") + describe(call.inputs()[i]);
  return text + "): " + messageOf(error);
}

Tensors outputsOf(const Function& function, Call& call) {
  Tensors outputs;
  if (function.one) outputs.push_back(function.one(call));
  else outputs = function.many(call);
  for (at::Tensor& output : outputs) {
    TORCH_CHECK(output.defined(), "produced no tensor");
    if (!function.shares && call.sharesStorageWithInput(output)) output = output.clone();
  }
  return outputs;
}

Napi::Value run(const Function& function, const Napi::CallbackInfo& info, TensorStore& store) {
  const c10::InferenceMode inference;
  Recording* const recording = currentRecording();
  Arguments noted;
  Call call(info, store, recording ? &noted : nullptr);
  try {
    if (function.plain) {
      const Napi::Value value = function.plain(call);
      if (recording && recording == currentRecording()) recording->pass(function, call.handles());
      return value;
    }
    const Handles handles = keepAll(call, outputsOf(function, call));
    if (recording) recording->note({function, std::move(noted), call.handles(), handles}, store);
    return function.one ? Napi::Number::New(info.Env(), handles[0]) : asJavaScript(info.Env(), handles);
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Napi::Error::New(info.Env(), failureOf(function, call, error));
  }
}

}  // namespace secateur
