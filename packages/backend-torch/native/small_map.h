// Convolutions of small maps as matrix products. There a third to a half of what a convolution multiplies is padding, and
// oneDNN 2's weight gradient reaches a fraction of a matrix product's speed.
#pragma once

#include <ATen/ATen.h>

namespace secateur {

/** An ungrouped convolution of stride and dilation 1: sizes of the filter, the input and the output, padding at the top and left. */
struct SmallMap {
  int64_t filterH, filterW, inH, inW, outH, outW, top, left;

  /** From each of few output positions the filter sees the whole input, as 3x3 does on a padded 2x2 map: a dense layer in disguise. */
  bool isDense() const;
  /** Measured: on maps up to 4x4; beyond, oneDNN's weight gradient is faster. */
  bool favoursProductsPerTap() const { return outH * outW <= 16; }
};

/** x NHWC, filter HWIO -> y NHWC; of a dense map. x and filter are of one type, and so is what comes out. */
at::Tensor denseMapForward(const at::Tensor& x, const at::Tensor& filter, const SmallMap& map);

/** dy NHWC, filter HWIO -> dx NHWC; of a dense map. */
at::Tensor denseMapInputGradient(const at::Tensor& dy, const at::Tensor& filter, const SmallMap& map);

/** The same of any map, in float32: a product per tap and row in place of a matrix that repeats the filter's taps. */
at::Tensor forwardByTap(const at::Tensor& x, const at::Tensor& filter, const SmallMap& map);
at::Tensor inputGradientByTap(const at::Tensor& dy, const at::Tensor& filter, const SmallMap& map);

/** x and dy NHWC -> the filter's gradient, float32 HWIO: one product per tap over the positions where the tap meets the input. */
at::Tensor filterGradientByTap(const at::Tensor& x, const at::Tensor& dy, const SmallMap& map);

}  // namespace secateur
