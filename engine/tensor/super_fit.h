// Fits of a 256-element super-block: groups whose scales (and minima) are themselves small integers
// times one f16 value. Q2_K, Q4_K, Q5_K are affine; Q3_K, Q6_K symmetric.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/tensor/blocks.h"

namespace smallmind {

inline constexpr size_t kMaxGroups = 16;

// x ≈ d·scale[g]·q, scale in [scale_lo, scale_hi].
struct SymmetricSuper {
  uint16_t d = 0;  // f16
  std::array<int8_t, kMaxGroups> scale = {};
  std::array<int8_t, kSuperBlock> q = {};
};
SymmetricSuper FitSymmetricSuper(const float* x, size_t group, int lo, int hi, int scale_lo,
                                 int scale_hi);

// x ≈ d·scale[g]·q − dmin·min[g], scale and min in [0, scale_hi], q in [0, hi].
struct AffineSuper {
  uint16_t d = 0, dmin = 0;  // f16
  std::array<uint8_t, kMaxGroups> scale = {};
  std::array<uint8_t, kMaxGroups> min = {};
  std::array<int8_t, kSuperBlock> q = {};
};
AffineSuper FitAffineSuper(const float* x, size_t group, int hi, int scale_hi);

}  // namespace smallmind
