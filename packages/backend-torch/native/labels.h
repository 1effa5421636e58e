#pragma once

#include <ATen/ATen.h>

namespace secateur {

/** Checks that there is one int32 label in [0, classes) per image; returns them contiguous. */
inline at::Tensor checkedLabels(const at::Tensor& labels, int64_t images, int64_t classes) {
  TORCH_CHECK(labels.dim() == 1 && labels.size(0) == images, "expected ", images, " labels, one per image, but got shape ", labels.sizes());
  TORCH_CHECK(labels.scalar_type() == at::kInt, "expected int32 labels, but got ", labels.scalar_type());
  const at::Tensor dense = labels.contiguous();
  const at::Tensor host = dense.to(at::kCPU);
  const int32_t* values = host.data_ptr<int32_t>();
  for (int64_t n = 0; n < images; ++n) {
    TORCH_CHECK(values[n] >= 0 && values[n] < classes, "label ", values[n], " of image ", n, " is outside [0, ", classes, ")");
  }
  return dense;
}

}  // namespace secateur
