#include "../kernels.h"
#include "../scored.h"

namespace secateur {

namespace {

at::Tensor importance(const Scored& s) { return (s.activation * s.gradient).abs_(); }

/** (activation, gradient, labels, threshold, classes) -> int32 [classes, ...rest] */
at::Tensor taylorCount(Call& call) {
  const Scored s(call, 4);
  const at::Tensor hits = importance(s).gt(static_cast<float>(call.number(3))).to(at::kInt);
  Integers shape = s.activation.sizes().vec();
  shape[0] = s.classes;
  return at::zeros(shape, hits.options()).index_add_(0, s.labels, hits);
}

/** (activation, gradient, labels, classes) -> float32 [classes, channels] */
at::Tensor taylorSum(Call& call) {
  const Scored s(call, 3);
  const int64_t channels = s.activation.size(-1);
  const at::Tensor sums = importance(s).reshape({s.images, channels > 0 ? s.places / channels : 0, channels}).sum(1, /*keepdim=*/false, at::kDouble);
  return at::zeros({s.classes, channels}, sums.options()).index_add_(0, s.labels, sums).to(at::kFloat);
}

}  // namespace

Functions portableTaylorFunctions() { return {one("taylorCount", taylorCount), one("taylorSum", taylorSum)}; }

}  // namespace secateur
