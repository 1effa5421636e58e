#include "call.h"

#include <c10/core/InferenceMode.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "device.h"

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

Napi::Error asJavaScriptError(const Function& function, const Call& call, const std::exception& error) {
  std::string text = "torch " + std::string(function.name) + "(";
  for (size_t i = 0; i < call.inputs().size(); ++i) text += (i ? ", " : "") + describe(call.inputs()[i]);
  return Napi::Error::New(call.env(), text + "): " + messageOf(error));
}

double keep(Call& call, at::Tensor output) {
  TORCH_CHECK(output.defined(), "produced no tensor");
  return call.store().add(call.sharesStorageWithInput(output) ? output.clone() : std::move(output));
}

/** All or none: what was kept before a failure is released again. */
Napi::Array keepAll(Call& call, const Tensors& outputs) {
  auto handles = Napi::Array::New(call.env(), outputs.size());
  std::vector<double> kept;
  kept.reserve(outputs.size());
  try {
    for (const at::Tensor& output : outputs) {
      const auto position = static_cast<uint32_t>(kept.size());
      kept.push_back(keep(call, output));
      handles.Set(position, Napi::Number::New(call.env(), kept.back()));
    }
  } catch (...) {
    for (const double handle : kept) call.store().release(handle);
    throw;
  }
  return handles;
}

}  // namespace

at::Tensor Call::tensorOf(const Napi::Value& value, size_t position) {
  TORCH_CHECK(value.IsNumber(), "expected a tensor handle for ", argumentName(position), ", but got ", typeName(value));
  const double handle = value.As<Napi::Number>().DoubleValue();
  // Made before the device was chosen: it moves once, so that what is changed in place stays one tensor.
  if (store_.get(handle).device() != device()) store_.replace(handle, store_.get(handle).to(device()));
  inputs_.push_back(store_.get(handle));
  return inputs_.back();
}

at::Tensor Call::tensor(size_t position) { return tensorOf(info_[position], position); }

MaybeTensor Call::optionalTensor(size_t position) {
  const Napi::Value value = info_[position];
  if (value.IsNull() || value.IsUndefined()) return c10::nullopt;
  return tensorOf(value, position);
}

Tensors Call::tensors(size_t position) {
  const Napi::Value value = info_[position];
  TORCH_CHECK(value.IsArray(), "expected an array of tensor handles for ", argumentName(position), ", but got ", typeName(value));
  const auto array = value.As<Napi::Array>();
  Tensors result;
  for (uint32_t i = 0; i < array.Length(); ++i) result.push_back(tensorOf(array.Get(i), position));
  return result;
}

int64_t Call::integer(size_t position) const { return wholeNumber(info_[position], argumentName(position).c_str()); }

double Call::number(size_t position) const {
  const Napi::Value value = info_[position];
  TORCH_CHECK(value.IsNumber(), "expected a number for ", argumentName(position), ", but got ", typeName(value));
  return value.As<Napi::Number>().DoubleValue();
}

bool Call::flag(size_t position) const {
  const Napi::Value value = info_[position];
  TORCH_CHECK(value.IsBoolean(), "expected a boolean for ", argumentName(position), ", but got ", typeName(value));
  return value.As<Napi::Boolean>().Value();
}

std::string Call::text(size_t position) const {
  const Napi::Value value = info_[position];
  TORCH_CHECK(value.IsString(), "expected a string for ", argumentName(position), ", but got ", typeName(value));
  return value.As<Napi::String>().Utf8Value();
}

Integers Call::integers(size_t position, int64_t length) const {
  const Napi::Value value = info_[position];
  TORCH_CHECK(value.IsArray(), "expected an array of integers for ", argumentName(position), ", but got ", typeName(value));
  const auto array = value.As<Napi::Array>();
  TORCH_CHECK(length < 0 || array.Length() == length, "expected ", length, " integers for ", argumentName(position), ", but got ",
              array.Length());
  // Grows with what is there: an array of length 2^32 - 1 may be all holes.
  Integers result;
  for (uint32_t i = 0; i < array.Length(); ++i) result.push_back(wholeNumber(array.Get(i), argumentName(position).c_str()));
  return result;
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

Napi::Value run(const Function& function, const Napi::CallbackInfo& info, TensorStore& store) {
  const c10::InferenceMode inference;
  Call call(info, store);
  try {
    if (function.one) return Napi::Number::New(info.Env(), keep(call, function.one(call)));
    if (function.plain) return function.plain(call);
    return keepAll(call, function.many(call));
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw asJavaScriptError(function, call, error);
  }
}

}  // namespace secateur
