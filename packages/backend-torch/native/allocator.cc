#include "allocator.h"

#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <mutex>
#include <string>

#include "torch_versions.h"

namespace secateur {

namespace {

constexpr size_t kHeader = 64;  // keeps the tensor's data aligned for AVX-512
constexpr size_t kSmall = 64 << 10;
constexpr size_t kBucket = 64 << 10;
constexpr size_t kLargeBucket = 2 << 20;
constexpr size_t kLarge = 4 << 20;

struct Block {
  size_t bytes;  // with the header; small blocks belong to malloc
};

size_t roundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

size_t physicalMemory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? static_cast<size_t>(pages) * static_cast<size_t>(size) : size_t{4} << 30;
}

constexpr size_t kReserve = 256 << 20;  // for all that does not ask here
constexpr size_t kUnlimited = std::numeric_limits<size_t>::max();
constexpr size_t kWorthChecking = 64 << 20;  // touching so much memory takes a hundred times as long as asking for what is left

/** The first number in a file of the system, after the word if one is given. */
size_t numberIn(const char* path, const std::string& word = "") {
  std::ifstream file(path);
  std::string label;
  size_t number;
  if (!word.empty()) {
    while (file >> label && label != word) continue;
  }
  return file >> number ? number : kUnlimited;
}

/** What the system can still give without ending a process, as far as it tells. */
size_t availableMemory() {
  const size_t kibibytes = numberIn("/proc/meminfo", "MemAvailable:");
  const size_t limit = numberIn("/sys/fs/cgroup/memory.max"), used = numberIn("/sys/fs/cgroup/memory.current");
  const size_t group = limit == kUnlimited || used == kUnlimited ? kUnlimited : limit - std::min(limit, used);
  return std::min(kibibytes == kUnlimited ? kUnlimited : kibibytes * 1024, group);
}

/**
 * Training allocates the same sizes at every step, and fresh pages cost a page fault and a memset each. Blocks above
 * 64 KiB therefore stay here after use: best fit, at most a quarter larger than asked for.
 */
class CachingAllocator final : public AnyAllocator {
 public:
  // With a raw deleter libtorch's raw_allocate works too, which oneDNN's scratch memory needs.
  at::DeleterFnPtr raw_deleter() const override { return &CachingAllocator::giveBack; }

  static CachingAllocator& instance() {
    // Never destroyed: tensors may be freed while the process exits.
    static auto* allocator = new CachingAllocator();
    return *allocator;
  }

  bool hasRoomFor(size_t bytes) const {
    if (bytes < kWorthChecking) return true;
    return bytes + kReserve < availableMemory() && mapped_ + bytes + kReserve < physicalMemory();
  }

  int64_t reserved() {
    std::lock_guard<std::mutex> lock(mutex_);
    return static_cast<int64_t>(cached_);
  }

  int64_t trim() {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto freed = static_cast<int64_t>(cached_);
    for (const auto& [bytes, block] : blocks_) unmap(block, bytes);
    blocks_.clear();
    cached_ = 0;
    return freed;
  }

 private:
  at::DataPtr allocateBytes(size_t bytes) override {
    void* data = take(bytes);
    return {data, data, &CachingAllocator::giveBack, at::Device(at::DeviceType::CPU)};
  }

  void* take(size_t asked) {
    if (asked == 0) return nullptr;
    TORCH_CHECK(asked < (size_t{1} << 47), "cannot allocate ", asked, " bytes");
    const size_t needed = asked + kHeader;
    if (needed < kSmall) {
      void* memory = nullptr;
      TORCH_CHECK(posix_memalign(&memory, kHeader, needed) == 0, "out of memory: could not allocate ", asked, " bytes");
      return dataOf(memory, needed);
    }
    const size_t bytes = roundUp(needed, needed < kLarge ? kBucket : kLargeBucket);
    if (void* block = cachedBlock(bytes)) return static_cast<char*>(block) + kHeader;
    void* memory = hasRoomFor(bytes) ? map(bytes) : MAP_FAILED;
    if (memory == MAP_FAILED) {
      trim();
      memory = hasRoomFor(bytes) ? map(bytes) : MAP_FAILED;
    }
    TORCH_CHECK(memory != MAP_FAILED, "out of memory: could not allocate ", asked, " bytes");
    mapped_ += bytes;
    return dataOf(memory, bytes);
  }

  void* cachedBlock(size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = blocks_.lower_bound(bytes);
    if (found == blocks_.end() || found->first > bytes + bytes / 4) return nullptr;
    void* block = found->second;
    cached_ -= found->first;
    blocks_.erase(found);
    return block;
  }

  static void giveBack(void* data) {
    if (!data) return;
    void* memory = static_cast<char*>(data) - kHeader;
    const size_t bytes = static_cast<Block*>(memory)->bytes;
    if (bytes < kSmall) {
      std::free(memory);
      return;
    }
    CachingAllocator& self = instance();
    {
      std::lock_guard<std::mutex> lock(self.mutex_);
      if (self.cached_ + bytes <= self.limit_) {
        self.blocks_.emplace(bytes, memory);
        self.cached_ += bytes;
        return;
      }
    }
    self.unmap(memory, bytes);
  }

  void unmap(void* memory, size_t bytes) {
    munmap(memory, bytes);
    mapped_ -= bytes;
  }

  static void* map(size_t bytes) {
    return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }

  static void* dataOf(void* memory, size_t bytes) {
    static_cast<Block*>(memory)->bytes = bytes;
    return static_cast<char*>(memory) + kHeader;
  }

  std::mutex mutex_;
  std::multimap<size_t, void*> blocks_;
  size_t cached_ = 0;
  std::atomic<size_t> mapped_{0};
  const size_t limit_ = physicalMemory() / 4;
};

}  // namespace

void installAllocator() {
  static std::once_flag once;
  std::call_once(once, [] { c10::SetCPUAllocator(&CachingAllocator::instance(), /*priority=*/10); });
}

void checkMemory(size_t bytes) {
  CachingAllocator& allocator = CachingAllocator::instance();
  if (!allocator.hasRoomFor(bytes)) allocator.trim();
  TORCH_CHECK(allocator.hasRoomFor(bytes), "out of memory: no room for ", bytes, " bytes");
}

int64_t reservedBytes() { return CachingAllocator::instance().reserved(); }

int64_t trimAllocator() { return CachingAllocator::instance().trim(); }

}  // namespace secateur
