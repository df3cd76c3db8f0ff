// How much memory there is, and how much to read so that caches do not help.
#pragma once

#include <cstddef>

namespace smallmind {

// Bytes of memory this process may use: the machine's, limited by memory.max of its cgroups.
size_t UsableMemory();

// Bytes of which a cache of `cache` bytes keeps little: four times as much and at least 256 MiB,
// but no more than a quarter of `memory`, and never nothing.
size_t BytesBeyondCache(size_t cache, size_t memory);

// The same for this machine's last-level cache and UsableMemory(). Of 256 MiB alone a server's
// cache keeps a part (Emerald Rapids, 260 MiB: read at 34 GB/s instead of 30).
size_t BytesBeyondCache();

}  // namespace smallmind
