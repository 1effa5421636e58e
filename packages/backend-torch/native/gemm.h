#pragma once

#include <ATen/ATen.h>

namespace secateur {

/** a [m, k] times b [k, n] in float32, shared out over the threads. */
at::Tensor sharedProduct(const at::Tensor& a, const at::Tensor& b);

/** Batches of matrix products [batch, m, k] x [batch, k, n] in float32, one whole product per thread at a time. */
at::Tensor sharedProducts(const at::Tensor& a, const at::Tensor& b);

/** The same into `result`, which is dense. */
void sharedProductsInto(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b);

/** result += a [m, k] times b [k, n], all float32; the rows of result are contiguous. */
void addSharedProduct(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b);

/** Which library multiplies float32 matrices: "oneDNN" or "BLAS". */
const char* gemmLibrary();

}  // namespace secateur
