// A container's limit counts as the machine's memory: reading a ceiling must not end it. Tested in
// memory_size_test.cc.
#include "engine/runtime/memory_size.h"

#include <unistd.h>

#include <algorithm>

#include "engine/runtime/cgroup.h"

namespace smallmind {
namespace {

// What sysconf says; 0 where it does not know.
size_t SystemValue(int name) { return static_cast<size_t>(std::max(sysconf(name), 0L)); }

}  // namespace

size_t UsableMemory() {
  return std::min(SystemValue(_SC_PHYS_PAGES) * SystemValue(_SC_PAGESIZE), CgroupMemory());
}

size_t BytesBeyondCache(size_t cache, size_t memory) {
  constexpr size_t kMiB = size_t{1} << 20;
  return std::max(std::min(std::max(256 * kMiB, 4 * cache), memory / 4), kMiB);
}

size_t BytesBeyondCache() {
#ifdef _SC_LEVEL3_CACHE_SIZE
  const size_t cache = SystemValue(_SC_LEVEL3_CACHE_SIZE);
#else
  const size_t cache = 0;
#endif
  return BytesBeyondCache(cache, UsableMemory());
}

}  // namespace smallmind
