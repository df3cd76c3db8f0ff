// Fits to the 16 uneven levels of IQ4_NL and IQ4_XS: x ≈ scale · kIq4Values[q].
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/tensor/super_fit.h"

namespace smallmind {

// Least squared error over groups of n elements (at most 32).
float FitCodebook(const float* x, size_t n);
// Nearest levels into q; returns the squared error.
float QuantizeCodebook(const float* x, size_t n, float scale, int8_t* q);
// A super-block of 8 groups of 32 with 6-bit scales; q holds level indices.
SymmetricSuper FitCodebookSuper(const float* x);

}  // namespace smallmind
