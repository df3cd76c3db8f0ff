// When a phase of the process ended, and how many page faults it had taken by then.
#pragma once

#include <cstdint>

namespace smallmind {

struct Instant {
  int64_t t_ns = 0;  // CLOCK_MONOTONIC
  int64_t minor_faults = 0;
  int64_t major_faults = 0;

  static Instant Now();  // a system call: about 0.3 µs
};

// Before and at the beginning of main(): the loader's work lies before `loaded`, the program's own
// static constructors between the two.
struct StartInstants {
  Instant loaded, main;
};

}  // namespace smallmind
