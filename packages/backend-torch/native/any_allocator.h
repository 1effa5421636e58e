// The interface of libtorch's allocators, whose shape differs between versions.
#pragma once

#include <c10/core/Allocator.h>

#include <cstring>

namespace secateur {

/**
 * A base for an allocator that compiles with every version: before 2.3 `allocate` is const and `copy_data` does not
 * exist. Whichever libtorch declares is overridden; the others are unused, so that none of them says `override`.
 */
class AnyAllocator : public at::Allocator {
 public:
  at::DataPtr allocate(size_t bytes) { return allocateBytes(bytes); }
  at::DataPtr allocate(size_t bytes) const { return const_cast<AnyAllocator*>(this)->allocateBytes(bytes); }
  void copy_data(void* to, const void* from, size_t bytes) const { std::memcpy(to, from, bytes); }

 protected:
  virtual at::DataPtr allocateBytes(size_t bytes) = 0;
};

}  // namespace secateur
