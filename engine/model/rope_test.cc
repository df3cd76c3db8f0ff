#include "engine/model/rope.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/base/testing.h"
#include "engine/model/model.h"

namespace smallmind {
namespace {

TEST(Rope, PlainFrequenciesAreThePapersPowers) {
  const Model model = Model::Load(TestdataDir() / "arch" / "llama.gguf");
  const RopeSpec& rope = model.spec.rope;
  ASSERT_EQ(rope.n_rot, 16u);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_DOUBLE_EQ(rope.inv_freq[i], std::pow(10000.0, -static_cast<double>(i) / 8.0));
  }
  float c[8], s[8];
  RopeAngles(rope, 3, c, s);
  EXPECT_FLOAT_EQ(c[0], std::cos(3.0));
  EXPECT_FLOAT_EQ(s[1], std::sin(3.0 * std::pow(10000.0, -0.125)));
}

TEST(Rope, FactorTensorDividesFrequencies) {
  const Model model = Model::Load(TestdataDir() / "arch" / "llama-tied-ropefreqs.gguf");
  const GgufTensor* factors = model.file.Tensor("rope_freqs.weight");
  ASSERT_NE(factors, nullptr);
  const auto* f = reinterpret_cast<const float*>(factors->data.data());
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_DOUBLE_EQ(model.spec.rope.inv_freq[i],
                     std::pow(500000.0, -static_cast<double>(i) / 8.0) / double{f[i]});
  }
}

}  // namespace
}  // namespace smallmind
