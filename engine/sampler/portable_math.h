// exp and log in double, the same bits on every platform: additions, multiplications and one
// division, no libm, no fused operations. Accurate to a few units in the last place, which sampling
// does not need; its sameness it does.
#pragma once

#include <bit>
#include <cstdint>

namespace smallmind {

// e^x for x <= 0 (and up to 700); 0 below −708. NaN is not expected.
inline double PortableExp(double x) {
  if (x < -708.0) return 0.0;
  // x = k·ln2 + r, |r| <= ln2/2; ln2 in two parts, so that k·high is exact for |k| < 2^11.
  constexpr double kLog2E = 1.4426950408889634, kLn2High = 0x1.62e42feep-1,
                   kLn2Low = 0x1.a39ef35793c76p-33;
  const double scaled = x * kLog2E;
  const auto k = static_cast<int64_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  const auto kd = static_cast<double>(k);
  const double r = (x - kd * kLn2High) - kd * kLn2Low;
  // Taylor to r^13 / 13!: the rest is below 5e-18.
  double sum = 1.0 / 6227020800.0;
  for (const double term :
       {1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0,
        1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0}) {
    sum = sum * r + term;
  }
  return sum * std::bit_cast<double>(static_cast<uint64_t>(k + 1023) << 52);
}

// ln(x) for normal x > 0.
inline double PortableLog(double x) {
  const auto bits = std::bit_cast<uint64_t>(x);
  auto exponent = static_cast<int64_t>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000fffffffffffffu) | 0x3ff0000000000000u);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  // ln m = 2·artanh(s), |s| <= 0.1716: the series to s^21 leaves less than 1e-18.
  const double s = (m - 1.0) / (m + 1.0), square = s * s;
  double sum = 0.0;
  for (int odd = 21; odd >= 1; odd -= 2) sum = sum * square + 1.0 / odd;
  return static_cast<double>(exponent) * 0.69314718055994531 + 2.0 * s * sum;
}

}  // namespace smallmind
