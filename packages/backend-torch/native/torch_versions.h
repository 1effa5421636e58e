// What differs between versions of libtorch, from 1.13 on; the rest of the code is the same for all of them.
#pragma once

#include <c10/core/Allocator.h>
#include <c10/util/Logging.h>

#include <cstring>
#include <functional>
#include <string>

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

/**
 * Errors without a C++ backtrace, which nobody is shown: before 2.3 each took milliseconds to make. Later versions make them when
 * they are asked for, and take another kind of function as well.
 */
inline void skipBacktraces() { c10::SetStackTraceFetcher(std::function<std::string()>([] { return std::string(); })); }

}  // namespace secateur
