#include "tensor_store.h"

#include <cmath>
#include <unordered_set>

namespace secateur {

namespace {
constexpr double kSlots = 67108864.0;  // 2^26
}

double TensorStore::add(at::Tensor tensor) {
  uint32_t slot;
  if (free_.empty()) {
    TORCH_CHECK(slots_.size() < static_cast<size_t>(kSlots), "too many live tensors: ", slots_.size());
    slot = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot].tensor = std::move(tensor);
  ++live_;
  return slot + slots_[slot].generation * kSlots;
}

size_t TensorStore::index(double handle) const {
  TORCH_CHECK(handle >= 0 && handle == std::floor(handle) && handle < kSlots * kSlots,
              "expected the handle of a tensor, but got ", handle);
  const auto generation = static_cast<uint64_t>(handle / kSlots);
  const auto slot = static_cast<size_t>(handle - generation * kSlots);
  TORCH_CHECK(slot < slots_.size(), "no tensor has handle ", handle);
  TORCH_CHECK(slots_[slot].generation == generation && slots_[slot].tensor.defined(),
              "the tensor with handle ", handle, " was disposed");
  return slot;
}

const at::Tensor& TensorStore::get(double handle) const { return slots_[index(handle)].tensor; }

void TensorStore::release(double handle) {
  const size_t slot = index(handle);
  slots_[slot].tensor.reset();
  slots_[slot].generation = (slots_[slot].generation + 1) % static_cast<uint32_t>(kSlots);
  free_.push_back(static_cast<uint32_t>(slot));
  --live_;
}

int64_t TensorStore::bytes() const {
  std::unordered_set<const void*> seen;
  int64_t total = 0;
  for (const Slot& slot : slots_) {
    if (!slot.tensor.defined()) continue;
    const auto& storage = slot.tensor.storage();
    if (seen.insert(storage.unsafeGetStorageImpl()).second) total += static_cast<int64_t>(storage.nbytes());
  }
  return total;
}

}  // namespace secateur
