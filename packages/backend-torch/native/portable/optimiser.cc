#include "../filter_layout.h"
#include "../kernels.h"
#include "../sgd.h"

namespace secateur {

namespace {

Napi::Value sgdMomentumUpdate(Call& call) {
  const SgdCall u(call);
  const bool settled = u.weight.is_non_overlapping_and_dense() && hasFilterLayout(u.weight);
  const at::Tensor weight = settled ? u.weight : u.weight.dim() == 4 ? inFilterLayout(u.weight) : u.weight.contiguous();
  const at::Tensor norm = weight.abs().sum();
  at::Tensor change = u.gradient.to(at::kFloat);
  if (u.penaltyGradient) change = at::add(change, u.penaltyGradient->to(at::kFloat), u.penalty);
  if (u.weightDecay != 0) change = at::add(change, weight, u.weightDecay);
  if (u.l1 != 0) change = at::add(change, weight.sign(), u.l1);
  at::Tensor newVelocity = u.mayReuseVelocity && u.velocity.strides() == weight.strides() ? u.velocity : at::empty_like(weight).copy_(u.velocity);
  newVelocity.mul_(u.momentum).add_(change);
  at::Tensor newWeight = u.mayReuseWeight || !settled ? weight : weight.clone();
  newWeight.add_(newVelocity, -u.learningRate);
  return u.result(call, newWeight, newVelocity, norm);
}

}  // namespace

Functions portableOptimiserFunctions() { return {plain("sgdMomentumUpdate", sgdMomentumUpdate)}; }

}  // namespace secateur
