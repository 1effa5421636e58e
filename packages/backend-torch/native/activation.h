#pragma once

#include <ATen/ATen.h>

#include <string>

namespace secateur {

/** tfjs's names of fused activations, applied in place to a fresh tensor. Prelu has weights and is a function of its own. */
inline at::Tensor activate(at::Tensor y, const std::string& activation, double leakyReluAlpha) {
  if (activation == "linear") return y;
  if (activation == "relu") return y.relu_();
  if (activation == "relu6") return y.clamp_(0, 6);
  if (activation == "elu") return at::elu_(y);
  if (activation == "sigmoid") return y.sigmoid_();
  if (activation == "leakyrelu") return at::leaky_relu_(y, leakyReluAlpha);
  TORCH_CHECK(false, "activation '", activation, "' is unknown; expected linear, relu, relu6, elu, sigmoid or leakyrelu");
}

}  // namespace secateur
