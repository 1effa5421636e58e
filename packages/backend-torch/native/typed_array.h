// JavaScript's typed arrays for the values of tensors.
#pragma once

#include <napi.h>

#include <cstring>

#include "allocator.h"

namespace secateur {

/** As JavaScript gets to see a tensor: dense, and float32 where it is stored in bfloat16. */
inline at::Tensor readable(const at::Tensor& tensor) {
  const bool isInteger = tensor.scalar_type() == at::kInt || tensor.scalar_type() == at::kBool;
  return (isInteger ? tensor : tensor.to(at::kFloat)).contiguous();
}

/**
 * An array as long as a readable tensor. JavaScript's own constructor throws when there is no room; napi_create_arraybuffer ends
 * the process.
 */
inline Napi::TypedArray typedArray(Napi::Env env, const at::Tensor& tensor) {
  checkMemory(tensor.nbytes());
  const char* type = tensor.scalar_type() == at::kInt ? "Int32Array" : tensor.scalar_type() == at::kBool ? "Uint8Array" : "Float32Array";
  const auto length = Napi::Number::New(env, static_cast<double>(tensor.numel()));
  return env.Global().Get(type).As<Napi::Function>().New({length}).As<Napi::TypedArray>();
}

inline void* dataOf(const Napi::TypedArray& array) { return static_cast<uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset(); }

/** Waits for the device. */
inline Napi::TypedArray readNow(Napi::Env env, const at::Tensor& tensor) {
  const at::Tensor values = readable(tensor).to(at::kCPU);
  const Napi::TypedArray array = typedArray(env, values);
  if (values.numel() > 0) std::memcpy(dataOf(array), values.data_ptr(), values.nbytes());
  return array;
}

}  // namespace secateur
