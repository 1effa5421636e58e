// Weight gradients of narrow bfloat16 convolutions on processors with AVX512-BF16, whose one instruction multiplies pairs of
// numbers and adds both products in float: here the pairs are neighbouring pixels.
#pragma once

#include "small_map.h"

namespace secateur {

/** Whether filterGradientByPairs is worth it: a filter three wide, few channels, and a processor for it. */
bool favoursPixelPairs(const SmallMap& map, int64_t in, int64_t out);

/** (x [images, inH, inW, in], dy [images, outH, outW, out]), both bfloat16 -> gradient [filterH, 3, in, out] in float32, laid out as [out, filterH, 3, in] */
at::Tensor filterGradientByPairs(const at::Tensor& x, const at::Tensor& dy, const SmallMap& map);

}  // namespace secateur
