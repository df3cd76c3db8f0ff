// Numbers read from files. Arithmetic on sizes is false where the true result does not fit, instead
// of a wrap.
#pragma once

#include <cstdint>
#include <limits>

namespace smallmind {

[[nodiscard]] inline bool CheckedMul(uint64_t a, uint64_t b, uint64_t* out) {
  return !__builtin_mul_overflow(a, b, out);
}

[[nodiscard]] inline bool CheckedAdd(uint64_t a, uint64_t b, uint64_t* out) {
  return !__builtin_add_overflow(a, b, out);
}

// Whether a positive number is one as float32 too: neither 0, subnormal nor infinite. NaN is not.
[[nodiscard]] inline bool FitsFloat32(double value) {
  using Limits = std::numeric_limits<float>;
  return value >= double{Limits::min()} && value <= double{Limits::max()};
}

// Smallest multiple of `alignment` (a power of two) that is >= value.
[[nodiscard]] inline bool CheckedAlignUp(uint64_t value, uint64_t alignment, uint64_t* out) {
  if (!CheckedAdd(value, alignment - 1, out)) return false;
  *out &= ~(alignment - 1);
  return true;
}

}  // namespace smallmind
