// Least-squares fits of small groups of weights to integer grids: what every quantiser here is made
// of.
//
// All minimise the plain squared error Σ(x − x')². Alternating minimisation from a ladder of
// starting steps: rounding gives the best integers for a grid, a closed form the best grid for the
// integers. Sums run in 8 fixed lanes, so that results are the same in every build and the compiler
// can use its vectors. Groups have 16 or 32 elements, always a multiple of 8.
#pragma once

#include <cstddef>
#include <cstdint>

namespace smallmind {

// x ≈ scale · q, q in [lo, hi]; lo < 0 < hi. The scale may be negative; 0 where all x are (nearly)
// 0.
float FitSymmetric(const float* x, size_t n, int lo, int hi);

// x ≈ scale · q + min, q in [0, hi], scale >= 0.
struct AffineGrid {
  float scale = 0;
  float min = 0;
};
// `min_not_above_zero` for the K types, which store −min unsigned.
AffineGrid FitAffine(const float* x, size_t n, int hi, bool min_not_above_zero);

// Nearest grid points into q, and the squared error of the result.
float QuantizeSymmetric(const float* x, size_t n, float scale, int lo, int hi, int8_t* q);
float QuantizeAffine(const float* x, size_t n, AffineGrid grid, int hi, int8_t* q);
// The error alone.
float SymmetricError(const float* x, size_t n, float scale, int lo, int hi);
float AffineError(const float* x, size_t n, AffineGrid grid, int hi);

// f16 bits of a scale, saturated: a block never decodes to infinity.
uint16_t ScaleToF16(float scale);

}  // namespace smallmind
