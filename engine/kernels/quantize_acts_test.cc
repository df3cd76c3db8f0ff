#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "engine/kernels/acts.h"
#include "engine/kernels/targets.h"

namespace smallmind {
namespace {

// The rule of acts.h, one element at a time.
ActBlock QuantizeScalar(const float* x) {
  float amax = 0.0f;
  ActBlock block{};
  block.bias = block.bias_lo = kSumOrigin;
  for (int i = 0; i < 32; ++i) {
    if (std::isnan(x[i])) return block;
    amax = std::max(amax, std::fabs(x[i]));
  }
  if (amax < 1e-30f) return block;
  block.d = amax / 127.0f;
  if (std::isinf(amax)) return block;
  const float inverse = 127.0f / amax;
  int sum = 0;
  for (int i = 0; i < 32; ++i) {
    block.q[i] = static_cast<int8_t>(std::nearbyint(x[i] * inverse));
    sum += block.q[i];
    if (i == 15) block.bias_lo = kSumOrigin - 128 * sum;
  }
  block.sum = static_cast<float>(sum);
  block.bias = kSumOrigin - 128 * sum;
  return block;
}

class QuantizeActs : public testing::Test {
 protected:
  void TearDown() override { ForceTarget(AttainableTargets().front()); }
};

TEST_F(QuantizeActs, EqualsTheRuleOnEveryTarget) {
  constexpr size_t kCols = 32 * 7;
  std::mt19937 rng(7);
  std::normal_distribution<float> normal;
  for (const std::string& target : AttainableTargets()) {
    ASSERT_TRUE(ForceTarget(target));
    for (int round = 0; round < 200; ++round) {
      std::vector<float> x(kCols);
      const float scale = std::ldexp(1.0f, round % 60 - 30);
      for (float& v : x) v = scale * normal(rng);
      if (round % 10 == 0) std::fill(x.begin(), x.begin() + 32, 0.0f);
      // Exact halves after scaling: the tie rule shows.
      for (int i = 0; i < 32; ++i) x[64 + i] = i == 5 ? 127.0f : static_cast<float>(i) + 0.5f;
      alignas(16) ActBlock blocks[kCols / 32];
      QuantizeRow(x.data(), kCols, reinterpret_cast<uint8_t*>(blocks));
      for (size_t b = 0; b < kCols / 32; ++b) {
        const ActBlock expected = QuantizeScalar(x.data() + 32 * b);
        ASSERT_EQ(std::memcmp(&blocks[b], &expected, sizeof(ActBlock)), 0)
            << target << " round " << round << " block " << b;
      }
    }
  }
}

// One odd value must not hide the others from the maximum, wherever vectors put it.
TEST_F(QuantizeActs, NonFiniteInputsGiveTheSameOnEveryTarget) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const float bad[] = {kInf, -kInf, std::nanf(""), 3e38f, -3e38f, 1e-38f, -1e-45f};
  for (const std::string& target : AttainableTargets()) {
    ASSERT_TRUE(ForceTarget(target));
    for (const float odd : bad) {
      for (int at = 0; at < 32; ++at) {
        std::vector<float> x(32);
        for (int i = 0; i < 32; ++i) x[i] = 1.5f + static_cast<float>((i * 7) % 32);
        x[at] = odd;
        alignas(16) ActBlock block;
        QuantizeRow(x.data(), 32, reinterpret_cast<uint8_t*>(&block));
        const ActBlock expected = QuantizeScalar(x.data());
        ASSERT_EQ(std::memcmp(&block, &expected, sizeof(ActBlock)), 0)
            << target << " " << odd << " at " << at;
      }
    }
  }
}

TEST(QuantRowStride, HoldsTheRowAndSpreadsCacheSets) {
  for (size_t cols = 32; cols < 20000; cols += 32) {
    const size_t stride = QuantRowStride(cols);
    ASSERT_GE(stride, cols / 32 * sizeof(ActBlock));
    ASSERT_EQ(stride % 128, 64u);
  }
}

}  // namespace
}  // namespace smallmind
