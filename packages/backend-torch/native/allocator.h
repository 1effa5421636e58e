// A caching allocator for every CPU tensor of the process, oneDNN's scratch memory included.
#pragma once

#include <cstdint>

namespace secateur {

/** Makes libtorch allocate through the cache. Safe to call from several environments; the first call counts. */
void installAllocator();

/** Bytes that the cache keeps for reuse. */
int64_t reservedBytes();

/** Gives the cached memory back to the system; returns how many bytes. */
int64_t trimAllocator();

}  // namespace secateur
