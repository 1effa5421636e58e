// Reading and writing float32 or bfloat16 storage as float, in loops that the compiler turns into vector code.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <cstring>

namespace secateur {

inline float toFloat(float value) { return value; }

inline float toFloat(c10::BFloat16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.x) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

inline void assign(float& target, float value) { target = value; }

/** Rounds to nearest even; NaN stays NaN. Branch free, unlike c10's conversion. */
inline void assign(c10::BFloat16& target, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  target.x = static_cast<uint16_t>(value != value ? 0x7fc0u : rounded);
}

/** Calls `use` with a null pointer of the storage type, to choose a template. */
template <typename Use>
auto withStorageType(const at::Tensor& tensor, Use use) {
  if (tensor.scalar_type() == at::kBFloat16) return use(static_cast<c10::BFloat16*>(nullptr));
  TORCH_CHECK(tensor.scalar_type() == at::kFloat, "expected float values, but got ", tensor.scalar_type());
  return use(static_cast<float*>(nullptr));
}

}  // namespace secateur
