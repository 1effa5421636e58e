#include "gemm.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <dlfcn.h>

namespace secateur {

namespace {

// libtorch leaves float32 products to BLAS. On Debian that may be the reference BLAS (one slow thread) or OpenBLAS (a second pool of
// threads that competes with OpenMP's). Where libtorch brings oneDNN as a shared library, its own product is better than both.
using Sgemm = int (*)(char transposeA, char transposeB, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda, const float* b,
                      int64_t ldb, float beta, float* c, int64_t ldc);

Sgemm onednn() {
  static const auto function = reinterpret_cast<Sgemm>(dlsym(RTLD_DEFAULT, "dnnl_sgemm"));
  return function;
}

/** A matrix as GEMM takes it: rows or columns contiguous, at a distance from each other. */
struct Operand {
  at::Tensor values;
  char transposed;
  int64_t distance;

  explicit Operand(const at::Tensor& matrix) : values(matrix), transposed('N'), distance(0) {
    const int64_t rows = matrix.size(0), columns = matrix.size(1);
    if (matrix.stride(1) == 1 && matrix.stride(0) >= columns) {
      distance = matrix.stride(0);
    } else if (matrix.stride(0) == 1 && matrix.stride(1) >= rows) {
      transposed = 'T';
      distance = matrix.stride(1);
    } else {
      values = matrix.contiguous();
      distance = columns;
    }
  }
};

/** result = beta * result + a * b. result must be dense; multiplies on the calling thread's OpenMP team. */
void multiplyInto(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b, float beta = 0) {
  if (!onednn() || a.numel() == 0 || b.numel() == 0) {
    at::Tensor out = result;
    at::addmm_out(out, result, a, b, beta);
    return;
  }
  const Operand left(a), right(b);
  const int status = onednn()(left.transposed, right.transposed, a.size(0), b.size(1), a.size(1), 1.0f, left.values.data_ptr<float>(), left.distance,
                              right.values.data_ptr<float>(), right.distance, beta, result.data_ptr<float>(), result.size(1));
  TORCH_CHECK(status == 0, "oneDNN's matrix product failed with status ", status);
}

constexpr int64_t kWorthSharing = 1 << 20;  // multiply-adds; below, starting threads costs more than it saves

void shareProduct(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b, float beta) {
  const int64_t m = a.size(0), k = a.size(1), n = b.size(1);
  const int64_t threads = at::get_num_threads();
  if (onednn() || threads == 1 || m * n * k < kWorthSharing) {
    multiplyInto(result, a, b, beta);
    return;
  }
  at::parallel_for(0, m, (m + threads - 1) / threads, [&](int64_t begin, int64_t end) {
    const c10::InferenceMode inference;
    multiplyInto(result.narrow(0, begin, end - begin), a.narrow(0, begin, end - begin), b, beta);
  });
}

}  // namespace

const char* gemmLibrary() { return onednn() ? "oneDNN" : "BLAS"; }

at::Tensor sharedProduct(const at::Tensor& a, const at::Tensor& b) {
  at::Tensor result = at::empty({a.size(0), b.size(1)}, a.options());
  shareProduct(result, a, b, 0);
  return result;
}

void addSharedProduct(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b) { shareProduct(result, a, b, 1); }

void sharedProductsInto(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b) {
  at::parallel_for(0, a.size(0), 1, [&](int64_t begin, int64_t end) {
    const c10::InferenceMode inference;
    for (int64_t i = begin; i < end; ++i) multiplyInto(result.select(0, i), a.select(0, i), b.select(0, i));
  });
}

at::Tensor sharedProducts(const at::Tensor& a, const at::Tensor& b) {
  at::Tensor result = at::empty({a.size(0), a.size(1), b.size(2)}, a.options());
  sharedProductsInto(result, a, b);
  return result;
}

}  // namespace secateur
