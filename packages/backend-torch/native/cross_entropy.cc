// Softmax cross entropy of logits with integer labels, and its gradient in the same pass.
#include <algorithm>
#include <cmath>

#include "kernels.h"
#include "labels.h"

namespace secateur {

namespace {

/** (logits [N, C], labels [N]) -> loss [N], gradient [N, C] of each image's own loss */
Tensors softmaxCrossEntropy(Call& call) {
  const at::Tensor given = call.tensor(0), givenLabels = call.tensor(1);
  TORCH_CHECK(given.dim() == 2 && given.is_floating_point(), "expected float logits of shape [images, classes], but got ", given.scalar_type(), given.sizes());
  const at::Tensor logits = given.to(at::kFloat).contiguous();
  const int64_t images = logits.size(0), classes = logits.size(1);
  const at::Tensor labels = checkedLabels(givenLabels, images, classes);
  at::Tensor loss = at::empty({images}, at::kFloat), gradient = at::empty(logits.sizes(), at::kFloat);
  for (int64_t n = 0; n < images; ++n) {
    const float* z = logits.data_ptr<float>() + n * classes;
    float* dz = gradient.data_ptr<float>() + n * classes;
    const int32_t label = labels.data_ptr<int32_t>()[n];
    const double top = *std::max_element(z, z + classes);
    double total = 0;
    for (int64_t c = 0; c < classes; ++c) total += std::exp(z[c] - top);
    loss.data_ptr<float>()[n] = static_cast<float>(std::log(total) + top - z[label]);
    for (int64_t c = 0; c < classes; ++c) dz[c] = static_cast<float>(std::exp(z[c] - top) / total - (c == label ? 1.0 : 0.0));
  }
  return {loss, gradient};
}

}  // namespace

Functions crossEntropyFunctions() { return {many("softmaxCrossEntropy", softmaxCrossEntropy)}; }

}  // namespace secateur
