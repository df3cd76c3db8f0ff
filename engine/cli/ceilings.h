// What this machine can do at most, measured: the denominators of a roofline.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace smallmind {

struct CeilingValue {
  std::string name;  // read_gbps, fma_gflops, int8_gops, bf16_gflops
  double value = 0;  // 10^9 bytes or operations a second
};

// All on `threads` threads at once; each is the best of several passes of a few milliseconds.
std::vector<CeilingValue> MeasureCeilings(size_t threads);

}  // namespace smallmind
