// Alternating minimisation as in fit.cc; the nearest level comes from a table over half-steps,
// since levels are integers and midpoints between them halves. Tested in encode_test.cc.
#include "engine/tensor/codebook_fit.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/tensor/blocks.h"
#include "engine/tensor/decode.h"
#include "engine/tensor/fit.h"

namespace smallmind {
namespace {

constexpr int kRounds = 3;
// Half-steps from −128 on. Every midpoint between two levels is a whole number of half-steps, so
// all values of one half-step [h/2, (h+1)/2) have the same nearest level, that of the half-step's
// middle.
constexpr std::array<int8_t, 512> kNearest = [] {
  std::array<int8_t, 512> table = {};
  for (int h = 0; h < 512; ++h) {
    const int middle = 2 * (h - 256) + 1;  // in quarters
    int best = 0;
    for (int level = 1; level < 16; ++level) {
      const int now = 4 * kIq4Values[best] - middle, next = 4 * kIq4Values[level] - middle;
      if (next * next < now * now) best = level;
    }
    table[static_cast<size_t>(h)] = static_cast<int8_t>(best);
  }
  return table;
}();

// NaN goes to the lowest level, so that any input is defined.
inline int NearestLevel(float v) {
  const float clamped = v > -127.0f ? (v < 113.0f ? v : 113.0f) : -127.0f;
  return kNearest[static_cast<size_t>(static_cast<int>(clamped * 2.0f + 256.0f))];
}

}  // namespace

float QuantizeCodebook(const float* x, size_t n, float scale, int8_t* q) {
  const float inverse = std::fabs(scale) > 1e-30f ? 1.0f / scale : 0.0f;
  float error = 0;
  for (size_t i = 0; i < n; ++i) {
    const int level = NearestLevel(x[i] * inverse);
    const float e = x[i] - scale * static_cast<float>(kIq4Values[level]);
    q[i] = static_cast<int8_t>(level);
    error += e * e;
  }
  return error;
}

float FitCodebook(const float* x, size_t n) {
  float extreme = 0;
  for (size_t i = 0; i < n; ++i) {
    if (std::fabs(x[i]) > std::fabs(extreme)) extreme = x[i];
  }
  if (!(std::fabs(extreme) > 1e-30f)) return 0;
  float best_scale = 0;
  double best_gain = -1;
  const auto consider = [&](float inverse) {
    double xv = 0, vv = 0;
    for (size_t i = 0; i < n; ++i) {
      const double v = kIq4Values[NearestLevel(x[i] * inverse)];
      xv += x[i] * v;
      vv += v * v;
    }
    const double gain = xv * xv / vv;  // vv >= n: no level is 0
    if (!(gain > best_gain)) return false;
    best_gain = gain;
    best_scale = static_cast<float>(xv / vv);
    return true;
  };
  // The extreme on the outermost level of either side, or up to a tenth beyond or short of it.
  for (int t = -6; t <= 10; ++t) {
    const float stretch = 1.0f + 0.02f * static_cast<float>(t);
    consider(-127.0f * stretch / extreme);
    consider(113.0f * stretch / extreme);
  }
  for (int i = 0; i < 3 && consider(1.0f / best_scale); ++i) {
  }
  return best_scale;
}

SymmetricSuper FitCodebookSuper(const float* x) {
  constexpr size_t kGroups = kSuperBlock / kBlock;
  float ideal[kGroups] = {};
  float extreme = 0;
  for (size_t g = 0; g < kGroups; ++g) {
    ideal[g] = FitCodebook(x + g * kBlock, kBlock);
    if (std::fabs(ideal[g]) > std::fabs(extreme)) extreme = ideal[g];
  }
  SymmetricSuper best;
  if (extreme == 0) {
    best.q.fill(8);  // any level: d is 0
    return best;
  }
  float best_error = -1;
  float unit = extreme / -32.0f;
  for (int round = 0; round <= kRounds; ++round) {
    SymmetricSuper next;
    next.d = ScaleToF16(unit);
    const float d = F16ToF32(next.d);
    if (d == 0) break;
    float total = 0;
    double xa = 0, aa = 0;
    for (size_t g = 0; g < kGroups; ++g) {
      const float* xs = x + g * kBlock;
      const float r = std::nearbyint(ideal[g] / d);
      const int center = r > -32.0f ? (r < 31.0f ? static_cast<int>(r) : 31) : -32;
      float group_error = -1;
      for (int s = std::max(center - 1, -32); s <= std::min(center + 1, 31); ++s) {
        int8_t q[kBlock];
        const float error = QuantizeCodebook(xs, kBlock, d * static_cast<float>(s), q);
        if (group_error >= 0 && !(error < group_error)) continue;
        group_error = error;
        next.scale[g] = static_cast<int8_t>(s);
        std::copy(q, q + kBlock, &next.q[g * kBlock]);
      }
      total += group_error;
      for (size_t i = 0; i < kBlock; ++i) {
        const double a = next.scale[g] * kIq4Values[next.q[g * kBlock + i]];
        xa += xs[i] * a;
        aa += a * a;
      }
    }
    if (best_error >= 0 && !(total < best_error)) break;
    best = next;
    best_error = total;
    if (aa == 0) break;
    unit = static_cast<float>(xa / aa);
  }
  return best;
}

}  // namespace smallmind
