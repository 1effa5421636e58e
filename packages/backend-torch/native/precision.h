// The bfloat16 mode: convolutions and matrix products compute in bfloat16, what they return stays stored so.
#pragma once

#include "call.h"


namespace secateur {

inline at::Tensor computeIn(const at::Tensor& x, bool bfloat16) { return x.to(bfloat16 ? at::kBFloat16 : at::kFloat); }

inline MaybeTensor computeIn(const MaybeTensor& x, bool bfloat16) {
  return x ? MaybeTensor(computeIn(*x, bfloat16)) : c10::nullopt;
}

}  // namespace secateur
