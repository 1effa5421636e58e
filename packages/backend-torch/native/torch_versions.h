// What differs between versions of libtorch, from 1.13 on; the rest of the code is the same for all of them.
#pragma once

#include <c10/core/Allocator.h>
#include <c10/core/Device.h>
#include <c10/core/Event.h>
#include <c10/util/Logging.h>
#if __has_include(<c10/core/CachingDeviceAllocator.h>)
#include <c10/core/CachingDeviceAllocator.h>
#endif

#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <thread>

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

/** Waits for an event of a device; before 2.4 nothing but asking is there. */
template <typename Event>
auto waitFor(const Event& event, int) -> decltype(event.synchronize()) {
  event.synchronize();
}
template <typename Event>
void waitFor(const Event& event, long) {
  while (!event.query()) std::this_thread::sleep_for(std::chrono::microseconds(50));
}
inline void waitFor(const c10::Event& event) { waitFor(event, 0); }

/**
 * Bytes that a device's caching allocator keeps for reuse. Recent versions tell without that device's own headers; for the others it is 0,
 * and emptyCacheOf does nothing.
 */
template <typename Type>
auto reservedBytesOf(Type type, c10::DeviceIndex index, int) -> decltype(getDeviceAllocator(type)->getDeviceStats(index), int64_t()) {
  const auto stats = getDeviceAllocator(type)->getDeviceStats(index);
  return stats.reserved_bytes[0].current - stats.allocated_bytes[0].current;
}
template <typename Type>
int64_t reservedBytesOf(Type, c10::DeviceIndex, long) {
  return 0;
}
inline int64_t reservedBytesOf(c10::Device device) { return reservedBytesOf(device.type(), device.index(), 0); }

template <typename Type>
auto emptyCacheOf(Type type, int) -> decltype(getDeviceAllocator(type)->emptyCache()) {
  getDeviceAllocator(type)->emptyCache();
}
template <typename Type>
void emptyCacheOf(Type, long) {}
inline void emptyCacheOf(c10::Device device) { emptyCacheOf(device.type(), 0); }

}  // namespace secateur
