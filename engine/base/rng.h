// Portable pseudo-random numbers: the same sequence on every compiler, target and flag set.
//
// xoshiro256** (Blackman & Vigna 2018) seeded through splitmix64 (Steele, Lea & Flood 2014).
// Integer arithmetic, then float operations that are exact or rounded once, so no libm and no
// contraction can change a bit. <random>'s distributions are not used: the standard leaves their
// results to the library. Not for secrets.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

namespace smallmind {

class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

// FNV-1a: a name's contribution to a seed.
inline uint64_t HashName(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

class Rng {
 public:
  explicit Rng(uint64_t seed) {
    SplitMix64 mix(seed);
    for (uint64_t& word : state_) word = mix.Next();
  }
  // An independent stream for each (seed, name, index): work can be split without changing results.
  Rng(uint64_t seed, std::string_view name, uint64_t index = 0)
      : Rng(SplitMix64(seed ^ HashName(name)).Next() + index * 0xd1342543de82ef95u) {}

  uint64_t Next() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound), bound >= 1; Lemire's multiplication, whose bias is below bound / 2^64.
  uint64_t Below(uint64_t bound) { return MulHigh(Next(), bound); }

  // Uniform in [0, 1): 24 random bits, exact.
  float Uniform() { return static_cast<float>(Next() >> 40) * 0x1p-24f; }
  // Uniform in [0, 1): 53 random bits, exact.
  double UniformDouble() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

  // Nearly normal, mean 0, variance 1, within ±3.47: the sum of one draw's four 16-bit fields. The
  // sum is an exact integer below 2^18; its variance is 4·(2^32 − 1)/12, so one rounded product
  // scales it.
  float Normal() {
    const uint64_t x = Next();
    const uint32_t sum = static_cast<uint32_t>((x & 0xffff) + ((x >> 16) & 0xffff) +
                                               ((x >> 32) & 0xffff) + (x >> 48));
    return (static_cast<float>(sum) - 131070.0f) * 2.6429061e-5f;
  }

 private:
  // High half of a 128-bit product in 32-bit limbs (no __int128 under -Wpedantic).
  static uint64_t MulHigh(uint64_t a, uint64_t b) {
    const uint64_t a_lo = a & 0xffffffffu, a_hi = a >> 32, b_lo = b & 0xffffffffu, b_hi = b >> 32;
    const uint64_t mid = a_hi * b_lo + ((a_lo * b_lo) >> 32);
    const uint64_t mid2 = a_lo * b_hi + (mid & 0xffffffffu);
    return a_hi * b_hi + (mid >> 32) + (mid2 >> 32);
  }

  std::array<uint64_t, 4> state_;
};

}  // namespace smallmind
