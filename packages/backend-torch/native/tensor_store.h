// Tensors that JavaScript holds, one table per Node environment (main thread or worker).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace secateur {

/**
 * A handle is slot + generation * 2^26, exact in a JavaScript number. The generation makes a handle that was
 * released an error for good, even when its slot holds another tensor by now.
 */
class TensorStore {
 public:
  double add(at::Tensor tensor);
  const at::Tensor& get(double handle) const;
  void release(double handle);

  int64_t live() const { return live_; }
  /** Bytes held by the live tensors, each storage counted once. */
  int64_t bytes() const;

 private:
  struct Slot {
    at::Tensor tensor;
    uint32_t generation = 0;
  };
  size_t index(double handle) const;

  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  int64_t live_ = 0;
};

}  // namespace secateur
