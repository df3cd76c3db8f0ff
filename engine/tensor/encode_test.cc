#include "engine/tensor/encode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/base/rng.h"
#include "engine/tensor/blocks.h"
#include "engine/tensor/codebook_fit.h"
#include "engine/tensor/decode.h"
#include "engine/tensor/fit.h"

namespace smallmind {
namespace {

constexpr size_t kRows = 64, kCols = 1024;

// Nearly normal weights, and their cubes: heavy tails with outliers.
std::vector<float> Sample(bool heavy) {
  Rng rng(42);
  std::vector<float> x(kRows * kCols);
  for (float& v : x) {
    v = rng.Normal();
    v = (heavy ? v * v * v : v) * 0.02f;
  }
  return x;
}

// Squared error over squared signal after encoding and decoding.
double RelativeError(DType type, const std::vector<float>& x) {
  std::vector<uint8_t> row(RowBytes(type, kCols));
  std::vector<float> back(kCols);
  double error = 0, signal = 0;
  for (size_t r = 0; r < kRows; ++r) {
    EncodeRow(type, &x[r * kCols], kCols, row.data());
    DecodeScalar(type, row.data(), kCols, back.data());
    for (size_t c = 0; c < kCols; ++c) {
      const double v = x[r * kCols + c], e = back[c] - v;
      error += e * e;
      signal += v * v;
    }
  }
  return error / signal;
}

// Bounds: the error of llama.cpp's quantiser (2025-02, no importance matrix) on these same tensors.
struct Bound {
  DType type;
  double normal, heavy;
};
constexpr Bound kBounds[] = {
    {DType::kQ4_0, 0.006698, 0.01175},    {DType::kQ4_1, 0.005725, 0.01231},
    {DType::kQ5_0, 0.001632, 0.003314},   {DType::kQ5_1, 0.001345, 0.002895},
    {DType::kQ8_0, 2.579e-05, 6.585e-05}, {DType::kQ2_K, 0.08254, 0.1587},
    {DType::kQ3_K, 0.02131, 0.0247},      {DType::kQ4_K, 0.004746, 0.008083},
    {DType::kQ5_K, 0.001212, 0.002403},   {DType::kQ6_K, 0.000289, 0.0005588},
    {DType::kIQ4_NL, 0.005436, 0.008066}, {DType::kIQ4_XS, 0.005518, 0.008261},
};

TEST(Encode, ErrorIsBelowTheFieldsQuantisers) {
  const std::vector<float> normal = Sample(false), heavy = Sample(true);
  for (const Bound& bound : kBounds) {
    EXPECT_LE(RelativeError(bound.type, normal), bound.normal) << Info(bound.type).name;
    EXPECT_LE(RelativeError(bound.type, heavy), bound.heavy) << Info(bound.type).name;
  }
}

TEST(Encode, HalvesRoundToNearest) {
  const std::vector<float> x = Sample(false);
  EXPECT_LE(RelativeError(DType::kF16, x), 1.0 / (1 << 23));
  EXPECT_LE(RelativeError(DType::kBF16, x), 1.0 / (1 << 17));
  EXPECT_EQ(RelativeError(DType::kF32, x), 0.0);
}

// Groups that have no direction, no spread, or no finite value: the result decodes, and to nothing
// infinite.
TEST(Encode, DegenerateGroupsDecodeToFiniteValues) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const DTypeInfo& info : AllDTypes()) {
    if (info.block_elems == 1) continue;
    for (const float value :
         {0.0f, 1.0f, -1.0f, 1e-42f, 1e-8f, -3e4f, 3e38f, -3e38f, kInf, -kInf, std::nanf("")}) {
      for (const int pattern : {0, 1, 2}) {
        std::vector<float> x(256, value);
        if (pattern == 1) {
          for (size_t i = 1; i < x.size(); ++i) x[i] = 0;
        }
        if (pattern == 2) {
          for (size_t i = 0; i < x.size(); i += 2) x[i] = -x[i];
        }
        std::vector<uint8_t> row(RowBytes(info.type, 256));
        EncodeRow(info.type, x.data(), 256, row.data());
        std::vector<float> back(256);
        DecodeScalar(info.type, row.data(), 256, back.data());
        for (const float v : back) ASSERT_TRUE(std::isfinite(v)) << info.name << " of " << value;
        if (value == 0.0f) {
          for (const float v : back) ASSERT_EQ(v, 0.0f) << info.name;
        }
        if (pattern == 0 && std::fabs(value) == 1.0f) {
          for (const float v : back) ASSERT_NEAR(v, value, 0.01) << info.name;
        }
      }
    }
  }
}

TEST(Encode, BlocksDoNotInfluenceEachOther) {
  const std::vector<float> x = Sample(true);
  for (const DTypeInfo& info : AllDTypes()) {
    std::vector<uint8_t> together(RowBytes(info.type, 512)), apart(RowBytes(info.type, 512));
    EncodeRow(info.type, x.data(), 512, together.data());
    EncodeRow(info.type, x.data(), 256, apart.data());
    EncodeRow(info.type, x.data() + 256, 256, apart.data() + RowBytes(info.type, 256));
    EXPECT_EQ(together, apart) << info.name;
  }
}

// The fit against a fine scan of all steps: at most a hair worse.
TEST(Fit, SymmetricIsNearTheBestStep) {
  Rng rng(5);
  for (int trial = 0; trial < 50; ++trial) {
    float x[32];
    for (float& v : x) v = rng.Normal();
    const float fitted = SymmetricError(x, 32, FitSymmetric(x, 32, -8, 7), -8, 7);
    float best = fitted;
    for (int i = 1; i <= 4000; ++i) {
      for (const float sign : {-1.0f, 1.0f}) {
        best = std::min(best, SymmetricError(x, 32, sign * 1e-4f * static_cast<float>(i), -8, 7));
      }
    }
    EXPECT_LE(fitted, best * 1.12f) << trial;
  }
}

// Against a search of all levels, near every midpoint and far outside.
TEST(Fit, CodebookRoundsToTheNearestLevel) {
  for (int i = -1400; i <= 1400; ++i) {
    const float x = static_cast<float>(i) * 0.1f + 0.003f;
    int8_t q = 0;
    const float error = QuantizeCodebook(&x, 1, 1.0f, &q);
    float best = 1e30f;
    for (const int8_t level : kIq4Values) {
      best = std::min(best, (x - static_cast<float>(level)) * (x - static_cast<float>(level)));
    }
    ASSERT_EQ(error, best) << x;
  }
}

TEST(Fit, AffineFindsAnExactGrid) {
  float x[32];
  for (int i = 0; i < 32; ++i) x[i] = 0.25f * static_cast<float>((i * 7) % 16) - 1.0f;
  const AffineGrid grid = FitAffine(x, 32, 15, false);
  EXPECT_NEAR(grid.scale, 0.25f, 1e-6);
  EXPECT_NEAR(grid.min, -1.0f, 1e-6);
  EXPECT_LT(AffineError(x, 32, grid, 15), 1e-10);
}

TEST(Fit, AffineMinimumStaysAtOrBelowZero) {
  float x[32];
  for (int i = 0; i < 32; ++i) x[i] = 5.0f + static_cast<float>(i % 16) * 0.01f;
  EXPECT_GT(FitAffine(x, 32, 15, false).min, 4.0f);
  EXPECT_LE(FitAffine(x, 32, 15, true).min, 0.0f);
}

}  // namespace
}  // namespace smallmind
