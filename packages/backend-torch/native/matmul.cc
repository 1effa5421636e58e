// Matrix products.
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include "activation.h"
#include "gemm.h"
#include "kernels.h"
#include "precision.h"

namespace secateur {

namespace {
constexpr int64_t kWorthSharing = 1 << 20;  // multiply-adds; below, starting threads costs more than it saves
}

// libtorch leaves float32 products to BLAS, whose threads are another pool that competes with OpenMP's (or a single thread). So BLAS
// runs on one thread and the products are shared out here.
at::Tensor sharedProduct(const at::Tensor& a, const at::Tensor& b) {
  const int64_t m = a.size(0), k = a.size(1), n = b.size(1);
  const int64_t threads = at::get_num_threads();
  if (threads == 1 || m * n * k < kWorthSharing) return at::mm(a, b);
  const bool byRows = m >= n;
  // Columns are shared out as rows of the transposed product, so that every thread writes one dense block.
  at::Tensor result = byRows ? at::empty({m, n}, a.options()) : at::empty({n, m}, a.options());
  const at::Tensor left = byRows ? a : b.t(), right = byRows ? b : a.t();
  const int64_t rows = result.size(0);
  at::parallel_for(0, rows, (rows + threads - 1) / threads, [&](int64_t begin, int64_t end) {
    const c10::InferenceMode inference;
    at::Tensor part = result.narrow(0, begin, end - begin);
    at::mm_out(part, left.narrow(0, begin, end - begin), right);
  });
  return byRows ? result : result.t().contiguous();
}

at::Tensor sharedProducts(const at::Tensor& a, const at::Tensor& b) {
  at::Tensor result = at::empty({a.size(0), a.size(1), b.size(2)}, a.options());
  at::parallel_for(0, a.size(0), 1, [&](int64_t begin, int64_t end) {
    const c10::InferenceMode inference;
    for (int64_t i = begin; i < end; ++i) {
      at::Tensor part = result.select(0, i);
      at::mm_out(part, a.select(0, i), b.select(0, i));
    }
  });
  return result;
}

namespace {

at::Tensor product(at::Tensor a, at::Tensor b, bool transposeA, bool transposeB, bool bfloat16) {
  TORCH_CHECK(a.dim() >= 2 && b.dim() >= 2, "expected matrices, but got shapes ", a.sizes(), " and ", b.sizes());
  a = computeIn(transposeA ? a.transpose(-1, -2) : a, bfloat16);
  b = computeIn(transposeB ? b.transpose(-1, -2) : b, bfloat16);
  const bool plain = a.dim() == 2 && b.dim() == 2 && a.size(1) == b.size(0) && !bfloat16;
  return plain ? sharedProduct(a, b) : at::matmul(a, b);
}

/** (a, b, transposeA, transposeB, bfloat16) */
at::Tensor matmul(Call& call) {
  return product(call.tensor(0), call.tensor(1), call.flag(2), call.flag(3), call.flag(4));
}

/** (a, b, bias | null, transposeA, transposeB, bfloat16, activation, leakyReluAlpha) */
at::Tensor fusedMatmul(Call& call) {
  const at::Tensor a = call.tensor(0), b = call.tensor(1);
  const auto bias = call.optionalTensor(2);
  at::Tensor y = product(a, b, call.flag(3), call.flag(4), call.flag(5));
  if (bias) y = y.add_(bias->to(y.scalar_type()));
  return activate(y, call.text(6), call.number(7));
}

}  // namespace

Functions matmulFunctions() { return {one("matmul", matmul), one("fusedMatmul", fusedMatmul)}; }

}  // namespace secateur
