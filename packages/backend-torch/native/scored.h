// What is scored by first-order Taylor importance.
#pragma once

#include <limits>

#include "call.h"
#include "labels.h"

namespace secateur {

struct Scored {
  at::Tensor activation, gradient, labels;
  int64_t images, places, classes;

  Scored(Call& call, size_t classesPosition) {
    activation = call.tensor(0).to(at::kFloat).contiguous();
    gradient = call.tensor(1).to(at::kFloat).contiguous();
    const at::Tensor given = call.tensor(2);
    classes = call.integer(classesPosition);
    TORCH_CHECK(activation.dim() >= 2, "expected activations of shape [images, ...], but got ", activation.sizes());
    TORCH_CHECK(gradient.sizes() == activation.sizes(), "expected a gradient of the activation's shape ", activation.sizes(), ", but got ",
                gradient.sizes());
    TORCH_CHECK(classes >= 1 && classes <= std::numeric_limits<int32_t>::max(), "expected a number of classes from 1 to 2^31 - 1, but got ", classes);
    images = activation.size(0);
    places = images > 0 ? activation.numel() / images : 0;
    labels = checkedLabels(given, images, classes);
  }
};

}  // namespace secateur
