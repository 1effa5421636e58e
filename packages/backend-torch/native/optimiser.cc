// SGD with momentum, weight decay, an L1 term and a penalty's gradient, in one pass over the weights.
#include <ATen/Parallel.h>

#include <cmath>
#include <numeric>

#include "filter_layout.h"
#include "kernels.h"
#include "sgd.h"

namespace secateur {

namespace {

/** A tensor with the values of `from` and the strides of `like`, which is settled. */
at::Tensor stridedLike(const at::Tensor& from, const at::Tensor& like) {
  if (from.strides() == like.strides()) return from;
  return like.dim() == 4 ? inFilterLayout(from) : at::empty_like(like).copy_(from);
}

/** Few enough that float holds the sum of their |weight|, many enough to fill the vector units. */
constexpr int64_t kBlock = 1024;

/** One block; returns the sum of |weight| before the update. All pointers run over memory of one layout; new may be old. */
template <bool penalised>
float updateBlock(const float* weight, const float* velocity, const float* gradient, const float* penalty, float* newWeight, float* newVelocity,
                  int64_t size, const SgdCall& u) {
  float norm = 0;
#pragma omp simd reduction(+ : norm)
  for (int64_t i = 0; i < size; ++i) {
    const float w = weight[i];
    const float sign = static_cast<float>(w > 0.0f) - static_cast<float>(w < 0.0f);
    float d = gradient[i];
    if (penalised) d += u.penalty * penalty[i];
    d += u.l1 * sign + u.weightDecay * w;
    const float v = u.momentum * velocity[i] + d;
    norm += std::fabs(w);
    newVelocity[i] = v;
    newWeight[i] = w - u.learningRate * v;
  }
  return norm;
}

template <bool penalised>
double update(const float* weight, const float* velocity, const float* gradient, const float* penalty, float* newWeight, float* newVelocity,
              int64_t size, const SgdCall& u) {
  const int64_t blocks = (size + kBlock - 1) / kBlock;
  std::vector<float> norms(static_cast<size_t>(blocks));
  at::parallel_for(0, blocks, 16, [&](int64_t firstBlock, int64_t lastBlock) {
    for (int64_t block = firstBlock; block < lastBlock; ++block) {
      const int64_t at = block * kBlock;
      norms[static_cast<size_t>(block)] = updateBlock<penalised>(weight + at, velocity + at, gradient + at, penalised ? penalty + at : nullptr,
                                                                 newWeight + at, newVelocity + at, std::min(kBlock, size - at), u);
    }
  });
  return std::accumulate(norms.begin(), norms.end(), 0.0);
}

Napi::Value sgdMomentumUpdate(Call& call) {
  const SgdCall u(call);
  const at::Tensor &weight = u.weight, &velocity = u.velocity;
  const bool settled = weight.is_non_overlapping_and_dense() && hasFilterLayout(weight);
  const at::Tensor oldWeight = settled ? weight : weight.dim() == 4 ? inFilterLayout(weight) : weight.contiguous();
  const at::Tensor oldVelocity = stridedLike(velocity, oldWeight);
  const at::Tensor gradient = stridedLike(u.gradient.to(at::kFloat), oldWeight);
  MaybeTensor penaltyGradient;
  if (u.penaltyGradient) penaltyGradient = stridedLike(u.penaltyGradient->to(at::kFloat), oldWeight);
  const at::Tensor newWeight = u.mayReuseWeight && settled ? weight : at::empty_like(oldWeight);
  const at::Tensor newVelocity = u.mayReuseVelocity && oldVelocity.is_same(velocity) ? velocity : at::empty_like(oldWeight);
  const auto run = penaltyGradient ? update<true> : update<false>;
  const double norm = run(oldWeight.data_ptr<float>(), oldVelocity.data_ptr<float>(), gradient.data_ptr<float>(),
                             penaltyGradient ? penaltyGradient->data_ptr<float>() : nullptr, newWeight.data_ptr<float>(),
                             newVelocity.data_ptr<float>(), weight.numel(), u);
  return u.result(call, newWeight, newVelocity, at::full({}, norm, at::kFloat));
}

}  // namespace

Functions optimiserFunctions() { return {plain("sgdMomentumUpdate", sgdMomentumUpdate)}; }

}  // namespace secateur
