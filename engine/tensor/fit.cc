// The sums a candidate needs (Σq, Σq², Σxq) come from one pass over the group; its best scale,
// minimum and error then follow in closed form, in double because the error is a small difference
// of large sums. Tested end to end in encode_test.cc.
#include "engine/tensor/fit.h"

#include <algorithm>
#include <cmath>

#include "engine/tensor/decode.h"

namespace smallmind {
namespace {

constexpr size_t kLanes = 8;
constexpr float kTiny =
    1e-30f;  // groups smaller than this are zeros; keeps every reciprocal finite

// To the nearest integer, ties to even, for |v| < 2^22: the addition rounds at the unit. Vectorises
// where rintf would be a call.
inline float Round(float v) { return (v + 0x1.8p23f) - 0x1.8p23f; }

// NaN clamps to lo, so that the later conversion to an integer is defined for any input.
inline float Clamp(float v, float lo, float hi) { return v > lo ? (v < hi ? v : hi) : lo; }

inline float Sum(const float (&lanes)[kLanes]) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

struct Moments {
  float q, qq, xq;
};

// Sums over q = round(clamp((x − offset) · inverse, lo, hi)).
Moments MomentsOf(const float* x, size_t n, float offset, float inverse, float lo, float hi) {
  float q[kLanes] = {}, qq[kLanes] = {}, xq[kLanes] = {};
  for (size_t i = 0; i < n; i += kLanes) {
    for (size_t l = 0; l < kLanes; ++l) {
      const float r = Round(Clamp((x[i + l] - offset) * inverse, lo, hi));
      q[l] += r;
      qq[l] += r * r;
      xq[l] += x[i + l] * r;
    }
  }
  return {Sum(q), Sum(qq), Sum(xq)};
}

float ErrorOf(const float* x, size_t n, float scale, float min, float lo, float hi) {
  const float inverse = std::fabs(scale) > kTiny ? 1.0f / scale : 0.0f;
  float error[kLanes] = {};
  for (size_t i = 0; i < n; i += kLanes) {
    for (size_t l = 0; l < kLanes; ++l) {
      const float r = Round(Clamp((x[i + l] - min) * inverse, lo, hi));
      const float e = x[i + l] - (scale * r + min);
      error[l] += e * e;
    }
  }
  return Sum(error);
}

void Quantize(const float* x, size_t n, float scale, float min, float lo, float hi, int8_t* q) {
  const float inverse = std::fabs(scale) > kTiny ? 1.0f / scale : 0.0f;
  for (size_t i = 0; i < n; ++i) {
    q[i] = static_cast<int8_t>(Round(Clamp((x[i] - min) * inverse, lo, hi)));
  }
}

}  // namespace

float FitSymmetric(const float* x, size_t n, int lo, int hi) {
  float extreme = 0;  // the element of largest magnitude, with its sign
  for (size_t i = 0; i < n; ++i) {
    if (std::fabs(x[i]) > std::fabs(extreme)) extreme = x[i];
  }
  if (!(std::fabs(extreme) > kTiny)) return 0;
  const auto low = static_cast<float>(lo), high = static_cast<float>(hi);
  float best_scale = extreme / low;
  double best_gain = -1;
  // The error for a given q is Σx² − (Σxq)²/Σq²: maximise the second term.
  const auto consider = [&](float inverse) {
    const Moments m = MomentsOf(x, n, 0, inverse, low, high);
    if (!(m.qq > 0)) return false;
    const double gain = static_cast<double>(m.xq) * m.xq / m.qq;
    if (!(gain > best_gain)) return false;
    best_gain = gain;
    best_scale = m.xq / m.qq;
    return true;
  };
  // The extreme lands on lo (the longer side) or on hi, or a little past either: a finer step for
  // all others can be worth clipping one.
  constexpr int kSteps = 8;
  for (int t = -kSteps; t <= kSteps; ++t) {
    consider((low + static_cast<float>(t) * 0.125f) / extreme);
  }
  for (int t = -2; t <= 4; ++t) consider((high + static_cast<float>(t) * 0.125f) / extreme);
  for (int i = 0; i < 3 && consider(1.0f / best_scale); ++i) {
  }
  return best_scale;
}

AffineGrid FitAffine(const float* x, size_t n, int hi, bool min_not_above_zero) {
  float low = x[0], high = x[0], sum[kLanes] = {}, squares[kLanes] = {};
  for (size_t i = 0; i < n; i += kLanes) {
    for (size_t l = 0; l < kLanes; ++l) {
      low = std::min(low, x[i + l]);
      high = std::max(high, x[i + l]);
      sum[l] += x[i + l];
      squares[l] += x[i + l] * x[i + l];
    }
  }
  if (min_not_above_zero) low = std::min(low, 0.0f);
  if (!(high - low > kTiny)) return {0, low};
  const double count = static_cast<double>(n), sx = Sum(sum), sxx = Sum(squares);
  const auto top = static_cast<float>(hi);
  AffineGrid best = {(high - low) / top, low};
  double best_error = AffineError(x, n, best, hi);

  // Best grid for the integers that (offset, inverse) gives; kept where it beats the best so far.
  const auto consider = [&](float offset, float inverse) {
    const Moments m = MomentsOf(x, n, offset, inverse, 0, top);
    const double q = m.q, qq = m.qq, xq = m.xq;
    const double determinant = count * qq - q * q;
    if (!(determinant > 0)) return false;
    double scale = (count * xq - q * sx) / determinant;
    double min = (sx - scale * q) / count;
    if (min_not_above_zero && min > 0) {
      min = 0;
      scale = xq / qq;
    }
    if (!(scale > 0)) return false;
    const double error = sxx - 2 * scale * xq - 2 * min * sx + scale * scale * qq +
                         2 * scale * min * q + count * min * min;
    if (!(error < best_error)) return false;
    best_error = error;
    best = {static_cast<float>(scale), static_cast<float>(min)};
    return true;
  };
  constexpr int kSteps = 10;
  for (int t = -kSteps; t <= kSteps; ++t) {
    consider(low, (top + static_cast<float>(t) * 0.1f) / (high - low));
  }
  // Both ends clipped alike.
  for (int t = 1; t <= 4; ++t) {
    const float cut = (high - low) * 0.5f * static_cast<float>(t) / (2.0f * top);
    const float start = min_not_above_zero ? std::min(low + cut, 0.0f) : low + cut;
    consider(start, top / (high - low - 2 * cut));
  }
  for (int i = 0; i < 4 && consider(best.min, 1.0f / best.scale); ++i) {
  }
  return best;
}

float QuantizeSymmetric(const float* x, size_t n, float scale, int lo, int hi, int8_t* q) {
  Quantize(x, n, scale, 0, static_cast<float>(lo), static_cast<float>(hi), q);
  return SymmetricError(x, n, scale, lo, hi);
}

float QuantizeAffine(const float* x, size_t n, AffineGrid grid, int hi, int8_t* q) {
  Quantize(x, n, grid.scale, grid.min, 0, static_cast<float>(hi), q);
  return AffineError(x, n, grid, hi);
}

float SymmetricError(const float* x, size_t n, float scale, int lo, int hi) {
  return ErrorOf(x, n, scale, 0, static_cast<float>(lo), static_cast<float>(hi));
}

float AffineError(const float* x, size_t n, AffineGrid grid, int hi) {
  return ErrorOf(x, n, grid.scale, grid.min, 0, static_cast<float>(hi));
}

uint16_t ScaleToF16(float scale) {
  constexpr float kMax = 65504.0f;
  return F32ToF16(Clamp(scale, -kMax, kMax));
}

}  // namespace smallmind
