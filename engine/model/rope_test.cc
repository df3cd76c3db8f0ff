#include "engine/model/rope.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/base/error.h"
#include "engine/base/testing.h"
#include "engine/model/model.h"
#include "engine/model/tiny_model.h"

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

// What reading the rotation of a model with one more key says; empty where it is taken.
std::string Refusal(const std::string& arch, const std::string& key,
                    const std::variant<std::string, uint32_t, float>& value) {
  const auto path = TestTempDir() / "rope_refusal.gguf";
  TinyModel::Write({.arch = arch, .keys = {{key, value}}}, path);
  std::string refusal;
  try {
    ReadSpec(GgufFile::Open(path), 0);
  } catch (const InputError& error) {
    refusal = error.what();
  }
  std::filesystem::remove(path);
  return refusal;
}

TEST(Rope, RefusesNumbersThatCannotRotate) {
  for (const char* key : {"rope.freq_base", "rope.freq_base_swa"}) {
    for (const float bad : {1.0f, 0.0f, -10000.0f, INFINITY, NAN}) {
      EXPECT_NE(Refusal("gemma3", key, bad).find(key), std::string::npos) << key << " " << bad;
    }
    EXPECT_EQ(Refusal("gemma3", key, 20000.0f), "");
  }
  for (const char* key :
       {"rope.scaling.attn_factor", "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow"}) {
    for (const float bad : {0.0f, -1.0f, 1e-40f, INFINITY, NAN}) {
      EXPECT_NE(Refusal("llama", key, bad).find(key), std::string::npos) << key << " " << bad;
    }
    EXPECT_EQ(Refusal("llama", key, 0.5f), "");
  }
}

TEST(Rope, QuotesAnUnknownScalingInOneLine) {
  const std::string refusal =
      Refusal("llama", "rope.scaling.type", "\x1b[2J\n" + std::string(1 << 20, 'x'));
  EXPECT_NE(refusal.find("rope.scaling.type is '\\x1b[2J\\x0ax"), std::string::npos);
  for (const char c : refusal) EXPECT_GE(c == '\n' || c == '\x1b' ? 0 : 1, 1);
  EXPECT_LT(refusal.size(), 1000u);
}

}  // namespace
}  // namespace smallmind
