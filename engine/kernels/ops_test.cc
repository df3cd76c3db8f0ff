// Vector operations: bit-equal to the scalar oracle on targets with FMA, within a bound elsewhere;
// exp, tanh, silu and gelu within an error bound of double.
#include "engine/kernels/ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "engine/base/testing.h"
#include "engine/kernels/float_oracle.h"
#include "engine/kernels/targets_testing.h"

namespace smallmind {
namespace {

using Floats = std::vector<float>;

// Bit equality with FMA; without it, `tolerance` relative to the largest value.
void ExpectSame(const Floats& want, const Floats& got, const std::string& target,
                float tolerance = 2e-6f) {
  float top = 0.0f;
  for (const float w : want) top = std::max(top, std::abs(w));
  for (size_t i = 0; i < want.size(); ++i) {
    if (TargetHasFma(target)) {
      ASSERT_EQ(std::bit_cast<uint32_t>(want[i]), std::bit_cast<uint32_t>(got[i]))
          << target << " element " << i << " of " << want.size() << ": " << want[i] << " against "
          << got[i];
    } else {
      ASSERT_NEAR(want[i], got[i], tolerance * top) << target << " element " << i;
    }
  }
}

double Ulps(double want, float got) {
  const float nearest = static_cast<float>(want);
  const float ulp = std::max(
      std::nextafter(std::abs(nearest), std::numeric_limits<float>::max()) - std::abs(nearest),
      std::numeric_limits<float>::denorm_min());
  return std::abs(want - got) / ulp;
}

const size_t kSizes[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100, 576, 2048};

TEST(Ops, ExpIsWithinOneUlpAndExactAtTheEnds) {
  double worst = 0.0;
  for (float x = -103.0f; x < 88.7f; x += 0.00137f) {
    worst = std::max(worst, Ulps(std::exp(static_cast<double>(x)), oracle::Exp(x)));
  }
  EXPECT_LE(worst, 1.0);
  RecordProperty("worst_ulp_thousandths", static_cast<int>(worst * 1000));
  EXPECT_EQ(oracle::Exp(0.0f), 1.0f);
  EXPECT_EQ(oracle::Exp(-std::numeric_limits<float>::infinity()), 0.0f);
  EXPECT_EQ(oracle::Exp(100.0f), std::numeric_limits<float>::infinity());
}

TEST(Ops, TanhSiluGeluAreWithinFourUlp) {
  double tanh_worst = 0.0, silu_worst = 0.0, gelu_worst = 0.0;
  for (float x = -12.0f; x < 12.0f; x += 0.00011f) {
    const double d = x;
    tanh_worst = std::max(tanh_worst, Ulps(std::tanh(d), oracle::Tanh(x)));
    silu_worst = std::max(silu_worst, Ulps(d / (1.0 + std::exp(-d)), oracle::Silu(x)));
    const double u = std::sqrt(2.0 / M_PI) * (d + 0.044715 * d * d * d);
    const double gelu = d / (1.0 + std::exp(-2.0 * u));
    // The argument's rounding is amplified by |2u|; absolute error is what a layer sees.
    gelu_worst = std::max(gelu_worst, std::abs(gelu - oracle::GeluTanh(x)));
  }
  EXPECT_LE(tanh_worst, 4.0);
  EXPECT_LE(silu_worst, 4.0);
  EXPECT_LE(gelu_worst, 2e-6);
  for (const float x : {1e-30f, -1e-10f, 1e-4f}) EXPECT_NEAR(oracle::Tanh(x) / x, 1.0, 1e-6);
}

TEST(Ops, NormsEqualTheOracle) {
  for (const size_t n : kSizes) {
    const Floats x = RandomFloats(n, 1, 3.0f), w = RandomFloats(n, 2), b = RandomFloats(n, 3);
    Floats rms(n), rms_plain(n), layer(n), layer_plain(n);
    oracle::RmsNorm(x.data(), w.data(), n, 1e-5f, rms.data());
    oracle::RmsNorm(x.data(), nullptr, n, 1e-5f, rms_plain.data());
    oracle::LayerNorm(x.data(), w.data(), b.data(), n, 1e-5f, layer.data());
    oracle::LayerNorm(x.data(), nullptr, nullptr, n, 1e-5f, layer_plain.data());
    ForEachTarget([&](const std::string& target) {
      Floats out(n);
      RmsNorm(x.data(), w.data(), n, 1e-5f, out.data());
      ExpectSame(rms, out, target);
      out = x;
      RmsNorm(out.data(), nullptr, n, 1e-5f, out.data());
      ExpectSame(rms_plain, out, target);
      LayerNorm(x.data(), w.data(), b.data(), n, 1e-5f, out.data());
      ExpectSame(layer, out, target, 1e-5f);
      LayerNorm(x.data(), nullptr, nullptr, n, 1e-5f, out.data());
      ExpectSame(layer_plain, out, target, 1e-5f);
    });
  }
}

TEST(Ops, NormsAgreeWithDouble) {
  const size_t n = 2048;
  const Floats x = RandomFloats(n, 5, 2.0f);
  double square = 0.0;
  for (const float v : x) square += static_cast<double>(v) * v;
  const double inv = 1.0 / std::sqrt(square / n + 1e-6);
  Floats out(n);
  RmsNorm(x.data(), nullptr, n, 1e-6f, out.data());
  for (size_t i = 0; i < n; ++i) ASSERT_NEAR(out[i], x[i] * inv, 1e-6 * std::abs(x[i]) + 1e-9);
}

void ExpectElementwiseEqualTheOracle(const Floats& x, const Floats& y) {
  const size_t n = x.size();
  Floats silu(n), gelu(n), gelu_mul(n), cap(n), fused(n), softmax = x;
  for (size_t i = 0; i < n; ++i) {
    silu[i] = oracle::Silu(x[i]) * y[i];
    gelu[i] = oracle::GeluTanhF16(x[i]);
    gelu_mul[i] = gelu[i] * y[i];
    cap[i] = oracle::SoftCap(x[i], 30.0f);
    fused[i] = std::fma(0.37f, y[i], x[i]);
  }
  oracle::Softmax(softmax.data(), n);
  ForEachTarget([&](const std::string& target) {
    Floats out(n);
    SiluMul(x.data(), y.data(), n, out.data());
    ExpectSame(silu, out, target);
    GeluTanh(x.data(), n, out.data());
    ExpectSame(gelu, out, target);
    GeluTanhMul(x.data(), y.data(), n, out.data());
    ExpectSame(gelu_mul, out, target);
    out = x;
    SoftCap(out.data(), 30.0f, n);
    ExpectSame(cap, out, target);
    out = x;
    ScaledAddInPlace(out.data(), y.data(), 0.37f, n);
    ExpectSame(fused, out, target);
    out = x;
    Softmax(out.data(), n);
    ExpectSame(softmax, out, target);
    out = x;
    AddInPlace(out.data(), y.data(), n);
    ScaleInPlace(out.data(), 0.5f, n);
    for (size_t i = 0; i < n; ++i) ASSERT_EQ(out[i], (x[i] + y[i]) * 0.5f) << target;
  });
}

TEST(Ops, ElementwiseEqualTheOracle) {
  for (const size_t n : kSizes) {
    ExpectElementwiseEqualTheOracle(RandomFloats(n, 7, 4.0f), RandomFloats(n, 8, 4.0f));
  }
}

TEST(Ops, ElementwiseEqualTheOracleWhereExpAndTanhEnd) {
  Floats x;
  for (const float end : {20.0f, 60.0f, 88.8f, 89.0f, 104.0f, 200.0f, 1e4f}) {
    x.push_back(end);
    x.push_back(-end);
  }
  ExpectElementwiseEqualTheOracle(x, RandomFloats(x.size(), 8, 4.0f));
}

TEST(Ops, NanStaysNan) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(oracle::Exp(kNan)));
  EXPECT_TRUE(std::isnan(oracle::Tanh(kNan)));
  const Floats x = {0.5f, kNan, -1.0f}, one(x.size(), 1.0f);
  ForEachTarget([&](const std::string& target) {
    Floats silu(x.size()), gelu(x.size()), cap = x, softmax = x;
    SiluMul(x.data(), one.data(), x.size(), silu.data());
    GeluTanh(x.data(), x.size(), gelu.data());
    SoftCap(cap.data(), 30.0f, x.size());
    Softmax(softmax.data(), x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_EQ(std::isnan(silu[i]), i == 1) << target << " " << i;
      EXPECT_EQ(std::isnan(gelu[i]), i == 1) << target << " " << i;
      EXPECT_EQ(std::isnan(cap[i]), i == 1) << target << " " << i;
      EXPECT_TRUE(std::isnan(softmax[i])) << target << " " << i;
    }
  });
}

TEST(Ops, ExpReachesTheTargetsThroughSoftmax) {
  // Differences down to -110: results from 1 through subnormals to 0.
  Floats x(1107);
  for (size_t i = 0; i < x.size(); ++i) x[i] = -0.1f * static_cast<float>(i);
  Floats want = x;
  oracle::Softmax(want.data(), want.size());
  ForEachTarget([&](const std::string& target) {
    Floats out = x;
    Softmax(out.data(), out.size());
    ExpectSame(want, out, target);
  });
}

TEST(Ops, ArgMaxIsTheFirstOfTheHighest) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (size_t n = 0; n < 300; n += 1 + n / 9) {
    for (unsigned seed = 0; seed < 12; ++seed) {
      Floats x = RandomFloats(n, seed);
      for (size_t i = 0; i < n; ++i) {
        if (seed % 2 == 0) x[i] = std::round(x[i]);  // equals
        if (seed % 3 == 1 && i % 4 != seed % 4) x[i] = seed % 2 == 0 ? kNan : -kInf;
        if (seed == 11) x[i] = i % 7 == 5 ? kInf : kNan;
      }
      size_t want = n;
      for (size_t i = 0; i < n; ++i) {
        if (x[i] > (want == n ? -kInf : x[want])) want = i;
      }
      ForEachTarget([&](const std::string& target) {
        EXPECT_EQ(ArgMax(x.data(), n), want) << target << " n " << n << " seed " << seed;
      });
    }
  }
}

TEST(Ops, RopeEqualsTheOracleAndRotates) {
  for (const size_t n : {2u, 6u, 8u, 16u, 34u, 64u, 80u, 128u}) {
    const Floats x = RandomFloats(n, 11);
    Floats cos(n / 2), sin(n / 2), neox = x, norm = x;
    for (size_t i = 0; i < n / 2; ++i) {
      cos[i] = std::cos(0.3f * static_cast<float>(i + 1));
      sin[i] = std::sin(0.3f * static_cast<float>(i + 1));
      oracle::Rotate(neox[i], neox[i + n / 2], cos[i], sin[i]);
      oracle::Rotate(norm[2 * i], norm[2 * i + 1], cos[i], sin[i]);
    }
    ForEachTarget([&](const std::string& target) {
      Floats out = x;
      RopeNeox(out.data(), n, cos.data(), sin.data());
      ExpectSame(neox, out, target);
      out = x;
      RopeInterleaved(out.data(), n, cos.data(), sin.data());
      ExpectSame(norm, out, target);
      EXPECT_NEAR(out[0] * out[0] + out[1] * out[1], x[0] * x[0] + x[1] * x[1], 1e-5f);
    });
  }
}

}  // namespace
}  // namespace smallmind
