// What JavaScript holds by number: values in slots, one store per Node environment (main thread or worker).
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace secateur {

/**
 * A handle is slot + generation * 2^26, exact in a JavaScript number. The generation makes a handle that was
 * released an error for good, even when its slot holds another value by now.
 */
template <typename Value>
class HandleStore {
 public:
  /** @param noun what the values are called in messages */
  explicit HandleStore(const char* noun) : noun_(noun) {}

  double add(Value value) {
    uint32_t slot;
    if (free_.empty()) {
      TORCH_CHECK(slots_.size() < static_cast<size_t>(kSlots), "too many live values: ", slots_.size());
      slot = static_cast<uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    slots_[slot].value = std::move(value);
    ++live_;
    return slot + slots_[slot].generation * kSlots;
  }

  const Value& get(double handle) const { return *slots_[index(handle)].value; }

  void replace(double handle, Value value) { slots_[index(handle)].value = std::move(value); }

  void release(double handle) {
    const size_t slot = index(handle);
    slots_[slot].value.reset();
    slots_[slot].generation = (slots_[slot].generation + 1) % static_cast<uint32_t>(kSlots);
    free_.push_back(static_cast<uint32_t>(slot));
    --live_;
  }

  int64_t live() const { return live_; }

  template <typename Visit>
  void forEach(Visit visit) const {
    for (const Slot& slot : slots_) {
      if (slot.value) visit(*slot.value);
    }
  }

 private:
  static constexpr double kSlots = 67108864.0;  // 2^26

  struct Slot {
    c10::optional<Value> value;
    uint32_t generation = 0;
  };

  size_t index(double handle) const {
    TORCH_CHECK(handle >= 0 && handle == std::floor(handle) && handle < kSlots * kSlots, "expected the handle of a ", noun_, ", but got ", handle);
    const auto generation = static_cast<uint64_t>(handle / kSlots);
    const auto slot = static_cast<size_t>(handle - generation * kSlots);
    TORCH_CHECK(slot < slots_.size(), "no ", noun_, " has handle ", handle);
    TORCH_CHECK(slots_[slot].generation == generation && slots_[slot].value, "the ", noun_, " with handle ", handle, " was disposed");
    return slot;
  }

  const char* noun_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  int64_t live_ = 0;
};

}  // namespace secateur
