// What every batch norm kernel asks of its arguments.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace secateur {

inline void checkVector(const at::Tensor& vector, int64_t channels, const char* role) {
  TORCH_CHECK(vector.dim() == 1 && vector.size(0) == channels, "expected ", role, " of shape [", channels, "], but got ", vector.sizes());
  TORCH_CHECK(vector.scalar_type() == at::kFloat, "expected ", role, " to be float32, but got ", vector.scalar_type());
}

enum class Activation { kLinear, kRelu, kRelu6 };

inline Activation activationNamed(const std::string& name) {
  if (name == "linear") return Activation::kLinear;
  if (name == "relu") return Activation::kRelu;
  TORCH_CHECK(name == "relu6", "expected activation linear, relu or relu6, but got '", name, "'");
  return Activation::kRelu6;
}

inline at::Tensor activateInPlace(at::Tensor y, Activation activation) {
  if (activation == Activation::kRelu) return y.relu_();
  return activation == Activation::kRelu6 ? y.clamp_(0, 6) : y;
}

inline void checkResidual(const c10::optional<at::Tensor>& residual, const at::Tensor& x) {
  TORCH_CHECK(!residual || residual->sizes() == x.sizes(), "expected a residual of x's shape ", x.sizes(), ", but got ", residual->sizes());
}

inline void checkGate(const c10::optional<at::Tensor>& open, const at::Tensor& dy) {
  TORCH_CHECK(!open || (open->sizes() == dy.sizes() && open->scalar_type() == at::kBool), "expected open to be bool of dy's shape ", dy.sizes(), ", but got ",
              open->scalar_type(), open->sizes());
}

/** Places per channel of x [..., channels]. */
inline int64_t rowsOf(const at::Tensor& x) {
  TORCH_CHECK(x.dim() >= 2, "expected x of rank 2 or more, but got shape ", x.sizes());
  const int64_t channels = x.size(-1), rows = channels > 0 ? x.numel() / channels : 0;
  TORCH_CHECK(rows > 0, "cannot take the statistics of an empty batch: x has shape ", x.sizes());
  return rows;
}

}  // namespace secateur
