// A caching allocator for every CPU tensor of the process, oneDNN's scratch memory included.
#pragma once

#include <cstddef>
#include <cstdint>

namespace secateur {

/** Makes libtorch allocate through the cache. Safe to call from several environments; the first call counts. */
void installAllocator();

/**
 * Throws when so many bytes more would leave the system without memory: it promises more than it has, and ends the
 * process later.
 */
void checkMemory(size_t bytes);

/** Bytes that the cache keeps for reuse. */
int64_t reservedBytes();

/** Gives the cached memory back to the system; returns how many bytes. */
int64_t trimAllocator();

}  // namespace secateur
