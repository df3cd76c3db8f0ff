// A portable random stream: the same seed gives the same order on every machine and compiler, which
// std::shuffle and std::uniform_int_distribution do not promise.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace smallmind::harness {

// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  // Uniform in [0, n), n > 0: rejection, so no value is likelier than another.
  uint64_t Below(uint64_t n) {
    const uint64_t limit = UINT64_MAX - UINT64_MAX % n;
    uint64_t value = Next();
    while (value >= limit) value = Next();
    return value % n;
  }

  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }  // [0, 1)

  template <typename T>
  void Shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[Below(i)]);
  }

 private:
  uint64_t state_;
};

}  // namespace smallmind::harness
