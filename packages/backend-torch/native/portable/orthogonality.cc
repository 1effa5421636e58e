// Convolutional orthogonality as two convolutions: with K the kernel and R its correlations,
//
//   R = K convolved with K, less the unit matrix in the middle;  loss = ||R||;  gradient = 2 / loss * (K convolved with R).
#include "../kernels.h"
#include "../precision.h"

namespace secateur {

namespace {

at::Tensor correlate(const at::Tensor& x, const at::Tensor& filter) {
  return at::convolution(x, filter, c10::nullopt, {1, 1}, {1, 1}, {1, 1}, /*transposed=*/false, {0, 0}, /*groups=*/1);
}

/** (kernel HWIO [3, 3, in, out], bfloat16) -> loss (scalar), gradient (HWIO) */
Tensors convOrthogonality(Call& call) {
  const at::Tensor given = call.tensor(0);
  const bool bfloat16 = call.flag(1);
  TORCH_CHECK(given.dim() == 4 && given.size(0) == 3 && given.size(1) == 3, "expected a kernel of shape [3, 3, in, out], but got ", given.sizes());
  TORCH_CHECK(given.numel() > 0, "expected a kernel with channels, but got ", given.sizes());
  const at::Tensor kernel = computeIn(given.permute({3, 2, 0, 1}), bfloat16);
  // [out, out, 3, 3]: how a filter, moved by up to one place, meets another one.
  const at::Tensor residual = correlate(kernel, kernel).transpose(0, 1).to(at::kFloat).contiguous();
  residual.select(2, 1).select(2, 1).diagonal().sub_(1);
  const at::Tensor loss = residual.square().sum().sqrt();
  const at::Tensor product = correlate(kernel.transpose(0, 1), computeIn(residual, bfloat16)).to(at::kFloat);
  const at::Tensor scale = (2 / loss).masked_fill_(loss.eq(0), 0);
  return {loss, (product * scale).permute({2, 3, 0, 1}).contiguous()};
}

}  // namespace

Functions portableOrthogonalityFunctions() { return {many("convOrthogonality", convOrthogonality)}; }

}  // namespace secateur
