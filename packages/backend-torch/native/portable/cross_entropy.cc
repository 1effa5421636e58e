#include <limits>

#include "../kernels.h"

namespace secateur {

namespace {

/**
 * (logits [N, C], labels [N]) -> loss [N], gradient [N, C] of each image's own loss. To name a label outside of the classes, training would
 * have to wait for the device in every step; its loss and gradient are NaN.
 */
Tensors softmaxCrossEntropy(Call& call) {
  const at::Tensor given = call.tensor(0), labels = call.tensor(1);
  TORCH_CHECK(given.dim() == 2 && given.is_floating_point(), "expected float logits of shape [images, classes], but got ", given.scalar_type(), given.sizes());
  const int64_t images = given.size(0), classes = given.size(1);
  TORCH_CHECK(labels.dim() == 1 && labels.size(0) == images, "expected ", images, " labels, one per image, but got shape ", labels.sizes());
  TORCH_CHECK(labels.scalar_type() == at::kInt, "expected int32 labels, but got ", labels.scalar_type());
  if (given.numel() == 0) return {at::zeros({images}, given.options().dtype(at::kFloat)), at::zeros(given.sizes(), given.options().dtype(at::kFloat))};
  const at::Tensor logProbabilities = at::log_softmax(given, 1, at::kFloat);
  const at::Tensor isOutside = labels.lt(0).logical_or_(labels.ge(classes)).unsqueeze(1);
  const at::Tensor positions = labels.to(at::kLong).clamp_(0, classes - 1).unsqueeze(1);
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  const at::Tensor loss = logProbabilities.gather(1, positions).neg_().masked_fill_(isOutside, kNaN).squeeze(1);
  const at::Tensor minusOne = at::full_like(loss, -1).unsqueeze_(1);
  return {loss, logProbabilities.exp().scatter_add_(1, positions, minusOne).masked_fill_(isOutside, kNaN)};
}

}  // namespace

Functions portableCrossEntropyFunctions() { return {many("softmaxCrossEntropy", softmaxCrossEntropy)}; }

}  // namespace secateur
