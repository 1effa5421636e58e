#pragma once

#include "call.h"

namespace secateur {

/** How a pooling window moves over an NHWC input. */
struct PoolWindow {
  int64_t filterH, filterW, strideH, strideW, top, left, outH, outW;

  explicit PoolWindow(const Integers& v)
      : filterH(v[0]), filterW(v[1]), strideH(v[2]), strideW(v[3]), top(v[4]), left(v[5]), outH(v[6]), outW(v[7]) {
    TORCH_CHECK(filterH > 0 && filterW > 0 && strideH > 0 && strideW > 0, "expected positive window and strides");
    TORCH_CHECK(outH >= 0 && outW >= 0, "the window is larger than its padded input");
  }
};

inline void checkPool(const at::Tensor& x) { TORCH_CHECK(x.dim() == 4, "expected an input of rank 4, but got shape ", x.sizes()); }

inline void checkPoolGradient(const at::Tensor& dy, const PoolWindow& w, at::IntArrayRef input) {
  TORCH_CHECK(dy.sizes() == at::IntArrayRef({input[0], w.outH, w.outW, input[3]}), "dy ", dy.sizes(), " does not belong to an input ", input);
}

}  // namespace secateur
