// Weight gradients of narrow convolutions on processors with AVX-512, where oneDNN 2's reach half of what they could.
#pragma once

#include "small_map.h"

namespace secateur {

/** Whether narrowFilterGradient is worth it: a filter three wide, few channels, and a processor for it. */
bool favoursNarrowFilterGradient(const SmallMap& map, at::ScalarType type, int64_t in, int64_t out);

/**
 * x [images, inH, inW, in] and dy [images, outH, outW, out], both float32 or both bfloat16 -> gradient [filterH, 3, in, out]
 * in float32, laid out as [out, filterH, 3, in]. The map's sizes are those of a convolution of this stride along both axes.
 */
at::Tensor narrowFilterGradient(const at::Tensor& x, const at::Tensor& dy, const SmallMap& map, int64_t stride);

}  // namespace secateur
