// Monotonic time in nanoseconds: the clock of every timestamp in the protocol.
#pragma once

#include <time.h>

#include <cstdint>

namespace smallmind {

// CLOCK_MONOTONIC, comparable between processes; about 20 ns a call.
inline int64_t NowNs() {
  timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}

}  // namespace smallmind
