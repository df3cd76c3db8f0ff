// Three steps: each group alone (fit.h); one f16 unit for all groups, each group's integers
// searched around their rounded values for the least error under that unit; then the unit itself by
// least squares for the integers found, kept where the whole block's error falls. Tested in
// encode_test.cc.
#include "engine/tensor/super_fit.h"

#include <algorithm>
#include <cmath>

#include "engine/tensor/decode.h"
#include "engine/tensor/fit.h"

namespace smallmind {
namespace {

constexpr int kRounds = 3;

// NaN gives lo, so that any input is defined.
int Nearest(float value, float unit, int lo, int hi) {
  if (unit == 0) return 0;
  const float r = std::nearbyint(value / unit);
  if (!(r > static_cast<float>(lo))) return lo;
  return r < static_cast<float>(hi) ? static_cast<int>(r) : hi;
}

// Best integer scale of every group under unit d. Returns the block's squared error.
float ChooseScales(const float* x, size_t group, int lo, int hi, int scale_lo, int scale_hi,
                   const float* ideal, float d, SymmetricSuper* out) {
  float total = 0;
  for (size_t g = 0; g < kSuperBlock / group; ++g) {
    const float* xs = x + g * group;
    const int center = Nearest(ideal[g], d, scale_lo, scale_hi);
    float best_error = -1;
    for (int s = std::max(center - 1, scale_lo); s <= std::min(center + 1, scale_hi); ++s) {
      const float error = SymmetricError(xs, group, d * static_cast<float>(s), lo, hi);
      if (best_error >= 0 && !(error < best_error)) continue;
      best_error = error;
      out->scale[g] = static_cast<int8_t>(s);
    }
    const float step = d * static_cast<float>(out->scale[g]);
    total += QuantizeSymmetric(xs, group, step, lo, hi, &out->q[g * group]);
  }
  return total;
}

// The unit that minimises the error for the integers in `fit`.
float RefitUnit(const float* x, size_t group, const SymmetricSuper& fit, float fallback) {
  double xa = 0, aa = 0;
  for (size_t i = 0; i < kSuperBlock; ++i) {
    const double a = fit.scale[i / group] * fit.q[i];
    xa += x[i] * a;
    aa += a * a;
  }
  return aa > 0 ? static_cast<float>(xa / aa) : fallback;
}

float ChooseScales(const float* x, size_t group, int hi, int scale_hi, const AffineGrid* ideal,
                   float d, float dmin, AffineSuper* out) {
  float total = 0;
  for (size_t g = 0; g < kSuperBlock / group; ++g) {
    const float* xs = x + g * group;
    const int scale = Nearest(ideal[g].scale, d, 0, scale_hi);
    const int min = Nearest(-ideal[g].min, dmin, 0, scale_hi);
    float best_error = -1;
    AffineGrid best;
    for (int m = std::max(min - 1, 0); m <= std::min(min + 1, scale_hi); ++m) {
      for (int s = std::max(scale - 1, 0); s <= std::min(scale + 1, scale_hi); ++s) {
        const AffineGrid grid = {d * static_cast<float>(s), -dmin * static_cast<float>(m)};
        const float error = AffineError(xs, group, grid, hi);
        if (best_error >= 0 && !(error < best_error)) continue;
        best_error = error;
        best = grid;
        out->scale[g] = static_cast<uint8_t>(s);
        out->min[g] = static_cast<uint8_t>(m);
      }
    }
    total += QuantizeAffine(xs, group, best, hi, &out->q[g * group]);
  }
  return total;
}

// Both units at once: the 2×2 normal equations of x ≈ d·a − dmin·b.
void RefitUnits(const float* x, size_t group, const AffineSuper& fit, float* d, float* dmin) {
  double xa = 0, xb = 0, aa = 0, ab = 0, bb = 0;
  for (size_t i = 0; i < kSuperBlock; ++i) {
    const double a = fit.scale[i / group] * fit.q[i];
    const double b = fit.min[i / group];
    xa += x[i] * a;
    xb += x[i] * b;
    aa += a * a;
    ab += a * b;
    bb += b * b;
  }
  const double determinant = ab * ab - aa * bb;
  if (bb == 0 || std::fabs(determinant) < 1e-9 * aa * bb) {
    if (aa > 0) *d = static_cast<float>((xa + *dmin * ab) / aa);
    return;
  }
  *d = static_cast<float>((xb * ab - xa * bb) / determinant);
  *dmin = static_cast<float>((aa * xb - ab * xa) / determinant);
}

}  // namespace

SymmetricSuper FitSymmetricSuper(const float* x, size_t group, int lo, int hi, int scale_lo,
                                 int scale_hi) {
  float ideal[kMaxGroups] = {};
  float extreme = 0;
  for (size_t g = 0; g < kSuperBlock / group; ++g) {
    ideal[g] = FitSymmetric(x + g * group, group, lo, hi);
    if (std::fabs(ideal[g]) > std::fabs(extreme)) extreme = ideal[g];
  }
  SymmetricSuper best;
  if (extreme == 0) return best;
  best.d = ScaleToF16(extreme / static_cast<float>(scale_lo));
  float best_error =
      ChooseScales(x, group, lo, hi, scale_lo, scale_hi, ideal, F16ToF32(best.d), &best);
  for (int round = 0; round < kRounds; ++round) {
    SymmetricSuper next;
    next.d = ScaleToF16(RefitUnit(x, group, best, F16ToF32(best.d)));
    if (next.d == best.d) break;
    const float error =
        ChooseScales(x, group, lo, hi, scale_lo, scale_hi, ideal, F16ToF32(next.d), &next);
    if (!(error < best_error)) break;
    best = next;
    best_error = error;
  }
  return best;
}

AffineSuper FitAffineSuper(const float* x, size_t group, int hi, int scale_hi) {
  AffineGrid ideal[kMaxGroups];
  float max_scale = 0, max_min = 0;
  for (size_t g = 0; g < kSuperBlock / group; ++g) {
    ideal[g] = FitAffine(x + g * group, group, hi, true);
    max_scale = std::max(max_scale, ideal[g].scale);
    max_min = std::max(max_min, -ideal[g].min);
  }
  AffineSuper best;
  best.d = ScaleToF16(max_scale / static_cast<float>(scale_hi));
  best.dmin = ScaleToF16(max_min / static_cast<float>(scale_hi));
  float best_error =
      ChooseScales(x, group, hi, scale_hi, ideal, F16ToF32(best.d), F16ToF32(best.dmin), &best);
  for (int round = 0; round < kRounds; ++round) {
    float d = F16ToF32(best.d), dmin = F16ToF32(best.dmin);
    RefitUnits(x, group, best, &d, &dmin);
    AffineSuper next;
    next.d = ScaleToF16(std::max(d, 0.0f));
    next.dmin = ScaleToF16(std::max(dmin, 0.0f));
    if (next.d == best.d && next.dmin == best.dmin) break;
    const float error =
        ChooseScales(x, group, hi, scale_hi, ideal, F16ToF32(next.d), F16ToF32(next.dmin), &next);
    if (!(error < best_error)) break;
    best = next;
    best_error = error;
  }
  return best;
}

}  // namespace smallmind
