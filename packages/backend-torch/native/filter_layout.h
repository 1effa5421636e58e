// How filters lie in memory.
#pragma once

#include <ATen/ATen.h>

namespace secateur {

/**
 * Filters live as [out, height, width, in] in memory (channels-last for ATen) under their HWIO shape. A filter that
 * came from JavaScript is plain HWIO and moves to that layout when it is first convolved with or updated.
 */
inline bool hasFilterLayout(const at::Tensor& hwio) { return hwio.dim() != 4 || hwio.permute({3, 0, 1, 2}).is_contiguous(); }

/** The same values, of rank 4, in that layout. */
at::Tensor inFilterLayout(const at::Tensor& hwio);

}  // namespace secateur
