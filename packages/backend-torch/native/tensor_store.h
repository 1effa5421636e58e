#pragma once

#include "handle_store.h"

namespace secateur {

/** Tensors that JavaScript holds. */
class TensorStore : public HandleStore<at::Tensor> {
 public:
  TensorStore() : HandleStore("tensor") {}

  /** Bytes held by the live tensors, each storage counted once. */
  int64_t bytes() const;
};

}  // namespace secateur
