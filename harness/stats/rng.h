// Portable random numbers for resampling and simulation.
//
// xoshiro256** seeded through SplitMix64 (Blackman & Vigna, "Scrambled Linear Pseudorandom Number
// Generators", 2021). The standard library's distributions differ between implementations; these do
// not, so that an interval printed with its seed can be recomputed anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace smallmind::harness::stats {

class Rng {
 public:
  explicit Rng(uint64_t seed);

  uint64_t Next();
  // Uniform in [0, 1), 53 random bits.
  double Uniform();
  // Uniform in [0, n), unbiased (Lemire's multiply and reject); n > 0.
  size_t Below(size_t n);
  // Standard normal by Marsaglia's polar method.
  double Normal();
  // Fisher-Yates.
  template <typename T>
  void Shuffle(std::vector<T>& values) {
    for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[Below(i)]);
  }

 private:
  uint64_t state_[4];
  double spare_ = 0.0;
  bool has_spare_ = false;
};

// Independent streams from one recorded seed: stream `index` of `seed`.
uint64_t DeriveSeed(uint64_t seed, uint64_t index);

}  // namespace smallmind::harness::stats
