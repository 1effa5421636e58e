// Convolutions of few channels on processors with AVX-512, with what follows them done before the result leaves the registers.
// Their own arithmetic takes about as long as in oneDNN 2; reading and writing the maps once more for each addition and ReLU does not pay.
#pragma once

#include "call.h"
#include "small_map.h"

namespace secateur {

/** A filter [height, width, in, out] in blocks, as narrowConvolution reads it; in the type that it computes in. */
struct NarrowFilter {
  at::Tensor words;
  at::ScalarType type;
  int64_t height, width, in, out;
};

/** What follows: nothing, or a ReLU that lets `most` through at most. */
struct Rectifier {
  bool isOn;
  float most;
};

/** Whether narrowConvolution is worth it: more than one tap, few channels, maps that are not tiny, and a processor for it. */
bool favoursNarrowConvolution(const SmallMap& map, at::ScalarType type, int64_t images, int64_t in, int64_t out);

/** @param filter HWIO, float32 or bfloat16, of any strides */
NarrowFilter packNarrowFilter(const at::Tensor& filter, at::ScalarType type);

/**
 * x [images, inH, inW, in] -> activation(convolution + bias + residual) [images, outH, outW, out], rounded once. All are of the
 * filter's type, except for the bias [out], which is float32.
 */
at::Tensor narrowConvolution(const at::Tensor& x, const NarrowFilter& filter, const MaybeTensor& bias, const MaybeTensor& residual, const SmallMap& map,
                             const Rectifier& relu);

}  // namespace secateur
