#include <limits>

#include "../kernels.h"

namespace secateur {

namespace {

/** (x, axes): float32 for floats, int32 for all else */
at::Tensor sum(Call& call) {
  const at::Tensor x = call.tensor(0);
  const Integers axes = call.integers(1);
  const auto type = x.is_floating_point() ? at::kFloat : at::kInt;
  if (axes.empty()) return x.to(type);
  return at::sum(x, axes, /*keepdim=*/false, x.is_floating_point() ? at::kFloat : at::kLong).to(type);
}

/** The first position of the largest value along an axis; NaN never wins over an earlier number, and in the first place never loses. */
at::Tensor firstOfLargest(const at::Tensor& x, int64_t axis) {
  const int64_t length = x.size(axis);
  TORCH_CHECK(length > 0, "has no position along an axis of length 0");
  const at::Tensor numbers = x.masked_fill(x.isnan(), -std::numeric_limits<double>::infinity());
  const at::Tensor isLargest = numbers.eq(numbers.amax(axis, /*keepdim=*/true));
  // ATen may name any of equal values on a GPU. A running count is 1 from the first one on.
  const at::Tensor first = isLargest.cumsum(axis, at::kInt).eq(0).sum(axis, /*keepdim=*/false, at::kInt);
  return first.masked_fill(x.select(axis, 0).isnan(), 0).to(at::kInt);
}

at::Tensor argMax(Call& call) { return firstOfLargest(call.tensor(0).to(at::kFloat), call.integer(1)); }

at::Tensor argMin(Call& call) { return firstOfLargest(-call.tensor(0).to(at::kFloat), call.integer(1)); }

}  // namespace

Functions portableReductionFunctions() { return {one("sum", sum), one("argMax", argMax), one("argMin", argMin)}; }

}  // namespace secateur
