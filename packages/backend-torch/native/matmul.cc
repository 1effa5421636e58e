// Matrix products.
#include "activation.h"
#include "device.h"
#include "gemm.h"
#include "kernels.h"
#include "precision.h"

namespace secateur {

namespace {

at::Tensor product(at::Tensor a, at::Tensor b, bool transposeA, bool transposeB, bool bfloat16) {
  TORCH_CHECK(a.dim() >= 2 && b.dim() >= 2, "expected matrices, but got shapes ", a.sizes(), " and ", b.sizes());
  a = computeIn(transposeA ? a.transpose(-1, -2) : a, bfloat16);
  b = computeIn(transposeB ? b.transpose(-1, -2) : b, bfloat16);
  if (!usesProcessorKernels() || bfloat16 || a.size(-1) != b.size(-2)) return at::matmul(a, b);
  if (a.dim() == 2 && b.dim() == 2) return sharedProduct(a, b);
  if (a.dim() == 3 && b.dim() == 3 && a.size(0) == b.size(0)) return sharedProducts(a, b);
  return at::matmul(a, b);
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
