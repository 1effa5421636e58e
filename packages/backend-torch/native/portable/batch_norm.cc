#include "../batch_norm.h"
#include "../kernels.h"

namespace secateur {

namespace {

/**
 * Rows of all channels, which libtorch's kernels for channels-last take as they are. Those of GPUs mix bfloat16 values with float32
 * statistics; the processor's do not in every version.
 */
at::Tensor asRows(const at::Tensor& x) {
  const at::Tensor rows = x.reshape({-1, x.size(-1)});
  return x.is_cuda() ? rows : rows.to(at::kFloat);
}

/** (x, scale, offset, movingMean, movingVariance, residual | null, epsilon, momentum, activation, unbiasedVariance) */
Tensors training(Call& call) {
  const at::Tensor x = call.tensor(0).contiguous();
  const at::Tensor scale = call.tensor(1), offset = call.tensor(2), movingMean = call.tensor(3), movingVariance = call.tensor(4);
  const auto residual = call.optionalTensor(5);
  const double epsilon = call.number(6), momentum = call.number(7);
  const Activation activation = activationNamed(call.text(8));
  const bool unbiased = call.flag(9);
  const int64_t rows = rowsOf(x), channels = x.size(-1);
  checkVector(scale, channels, "scale");
  checkVector(offset, channels, "offset");
  checkVector(movingMean, channels, "movingMean");
  checkVector(movingVariance, channels, "movingVariance");
  checkResidual(residual, x);

  const auto [normal, mean, inverseStd] =
      at::native_batch_norm(asRows(x), scale, offset, /*running_mean=*/{}, /*running_var=*/{}, /*training=*/true, 1 - momentum, epsilon);
  at::Tensor y = normal;
  if (residual) y = y.add_(residual->reshape(y.sizes()));
  y = activateInPlace(y, activation);
  const at::Tensor variance = (inverseStd.pow(-2) - epsilon).clamp_min_(0);
  const double correction = unbiased && rows > 1 ? static_cast<double>(rows) / static_cast<double>(rows - 1) : 1;
  return {y.reshape(x.sizes()).to(x.scalar_type()), mean, inverseStd, momentum * movingMean + (1 - momentum) * mean,
          momentum * movingVariance + (1 - momentum) * correction * variance};
}

/** (dy, x, y, scale, mean, inverseStd, activation, residual) */
Tensors trainingGrad(Call& call) {
  const at::Tensor x = call.tensor(1).contiguous();
  const at::Tensor dy = call.tensor(0).to(x.scalar_type()).contiguous(), y = call.tensor(2);
  const at::Tensor scale = call.tensor(3), mean = call.tensor(4), inverseStd = call.tensor(5);
  const Activation activation = activationNamed(call.text(6));
  const bool residual = call.flag(7);
  TORCH_CHECK(dy.sizes() == x.sizes() && y.sizes() == x.sizes(), "expected dy, x and y of one shape, but got ", dy.sizes(), ", ", x.sizes(), " and ",
              y.sizes());
  const int64_t channels = x.size(-1);
  rowsOf(x);
  checkVector(scale, channels, "scale");
  checkVector(mean, channels, "mean");
  checkVector(inverseStd, channels, "inverseStd");

  at::Tensor gated = dy;
  if (activation != Activation::kLinear) gated = gated.masked_fill(y.gt(0).logical_not_(), 0);
  if (activation == Activation::kRelu6) gated = gated.masked_fill(y.lt(6).logical_not_(), 0);
  const auto [dx, dScale, dOffset] = at::native_batch_norm_backward(asRows(gated), asRows(x), scale, /*running_mean=*/{}, /*running_var=*/{}, mean,
                                                                    inverseStd, /*train=*/true, /*eps=*/0, {true, true, true});
  Tensors gradients = {dx.reshape(x.sizes()).to(x.scalar_type()), dScale, dOffset};
  if (residual) gradients.push_back(gated);
  return gradients;
}

/** (x, mean, variance, offset | null, scale | null, epsilon): vectors per channel, or anything that broadcasts */
at::Tensor broadcastInference(Call& call) {
  const at::Tensor x = call.tensor(0), mean = call.tensor(1), variance = call.tensor(2);
  const auto offset = call.optionalTensor(3), scale = call.optionalTensor(4);
  at::Tensor factor = at::rsqrt(variance + call.number(5));
  if (scale) factor = factor * *scale;
  at::Tensor y = (x - mean) * factor;
  if (offset) y = y + *offset;
  return y.to(x.scalar_type());
}

/** (x, mean, variance, offset, scale, residual | null, epsilon, activation) -> y, and with an activation where it is open */
Tensors inference(Call& call) {
  const at::Tensor x = call.tensor(0), mean = call.tensor(1), variance = call.tensor(2), offset = call.tensor(3), scale = call.tensor(4);
  const auto residual = call.optionalTensor(5);
  const Activation activation = activationNamed(call.text(7));
  const int64_t channels = rowsOf(x) > 0 ? x.size(-1) : 0;
  checkVector(mean, channels, "mean");
  checkVector(variance, channels, "variance");
  checkVector(offset, channels, "offset");
  checkVector(scale, channels, "scale");
  checkResidual(residual, x);
  at::Tensor y = (x - mean) * (scale * at::rsqrt(variance + call.number(6))) + offset;
  if (residual) y = y + *residual;
  y = activateInPlace(y, activation).to(x.scalar_type());
  if (activation == Activation::kLinear) return {y};
  return {y, activation == Activation::kRelu ? y.gt(0) : y.gt(0).logical_and_(y.lt(6))};
}

/** (dy, open | null, variance, scale, epsilon, residual) -> dx, and the gradient of the residual */
Tensors inferenceGrad(Call& call) {
  const at::Tensor dy = call.tensor(0), variance = call.tensor(2), scale = call.tensor(3);
  const auto open = call.optionalTensor(1);
  rowsOf(dy);
  checkGate(open, dy);
  checkVector(variance, dy.size(-1), "variance");
  checkVector(scale, dy.size(-1), "scale");
  const at::Tensor gated = open ? dy.masked_fill(open->logical_not(), 0) : dy;
  const at::Tensor dx = (gated * (scale * at::rsqrt(variance + call.number(4)))).to(dy.scalar_type());
  if (call.flag(5)) return {dx, gated};
  return {dx};
}

}  // namespace

Functions portableBatchNormFunctions() {
  return {many("batchNormTraining", training), many("batchNormTrainingGrad", trainingGrad), one("batchNorm", broadcastInference),
          many("batchNormInference", inference), many("batchNormInferenceGrad", inferenceGrad)};
}

}  // namespace secateur
