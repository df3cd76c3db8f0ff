// The ceilings of one thread, measured once a program, for the benches' "% of ceiling" counters.
#pragma once

#include <benchmark/benchmark.h>

namespace smallmind {

struct Ceilings {
  double fma_gflops = 0.0;   // float32 fused multiply-add
  double int8_gops = 0.0;    // uint8 × int8 dots
  double bf16_gflops = 0.0;  // BF16 pair dots
  double read_gbs = 0.0;     // sequential read beyond caches
};

// Best of a few runs by the thread's CPU time; measured at the first call.
const Ceilings& ThreadCeilings();

// Adds GFLOP/s, GB/s (where bytes ≠ 0) and percent of `ceiling` (GFLOP/s, or GB/s where operations
// == 0) to a finished benchmark; operations and bytes are of one iteration.
void Count(benchmark::State& state, double operations, double bytes, double ceiling);

}  // namespace smallmind
