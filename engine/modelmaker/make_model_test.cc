#include "engine/modelmaker/make_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/testing.h"
#include "engine/gguf/gguf.h"
#include "engine/modelmaker/preset.h"
#include "engine/modelmaker/random_weights.h"
#include "engine/modelmaker/recipe.h"
#include "engine/tensor/decode.h"

namespace smallmind {
namespace {

namespace fs = std::filesystem;

class MakeModelTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = TestTempDir() / (std::string("make_model_") +
                            testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }

  fs::path Make(const std::string& preset, const std::string& type, uint64_t seed = 1,
                size_t threads = 2) {
    const fs::path path = dir_ / (preset + type + std::to_string(seed) + std::to_string(threads));
    MakeModel({preset, type, seed, path, threads});
    return path;
  }
  fs::path dir_;
};

TEST_F(MakeModelTest, EveryTypeOpensWithItsTypes) {
  std::vector<std::string> names = RecipeNames();
  // In the short form one mixed recipe, one float and one block type; the whole models of
  // forward_types_test.cc are of every type in either form.
  if (FormOfTests() == TestForm::kShort) names = {"Q4_K_M", "BF16", "Q5_1"};
  for (const std::string& name : names) {
    const Recipe& recipe = FindRecipe(name);
    const GgufFile file = GgufFile::Open(Make("tiny-llama", name));
    EXPECT_EQ(file.Uint("general.file_type"), recipe.file_type);
    const GgufTensor* q = file.Tensor("blk.1.attn_q.weight");
    ASSERT_NE(q, nullptr);
    EXPECT_EQ(q->type, recipe.base) << name;
    EXPECT_EQ(q->ne[0], 256u);
    EXPECT_EQ(file.Tensor("output_norm.weight")->type, DType::kF32);
    EXPECT_EQ(file.Tensor("output.weight")->type, recipe.mixed ? DType::kQ6_K : recipe.base);
  }
}

TEST_F(MakeModelTest, MetadataAndTensorsFitThePreset) {
  for (const char* name :
       {"tiny-llama", "tiny-llama3", "tiny-qwen2", "tiny-mixtral", "stories15m"}) {
    const Preset& p = FindPreset(name);
    const GgufFile file = GgufFile::Open(Make(name, "Q4_0"));
    const std::string arch(p.arch);
    EXPECT_EQ(file.String("general.architecture"), arch);
    EXPECT_EQ(file.Uint(arch + ".block_count"), p.layers);
    EXPECT_EQ(file.Uint(arch + ".attention.head_count_kv"), p.kv_heads);
    EXPECT_EQ(file.Array("tokenizer.ggml.tokens")->count, p.vocab);
    EXPECT_EQ(file.Tensor("token_embd.weight")->ne[1], p.vocab);
    EXPECT_EQ(file.Tensor("output.weight") == nullptr, p.tied);
    EXPECT_EQ(file.Tensor("blk.0.attn_k.bias") != nullptr, p.qkv_bias);
    EXPECT_EQ(file.Tensor("rope_freqs.weight") != nullptr, p.rope_factors);
    EXPECT_EQ(file.Uint(arch + ".expert_count", 0), p.experts);
    EXPECT_EQ(file.Uint(arch + ".expert_used_count", 0), p.experts_used);
    const bool dense = p.experts == 0;
    const GgufTensor* down =
        file.Tensor(dense ? "blk.0.ffn_down.weight" : "blk.0.ffn_down_exps.weight");
    ASSERT_NE(down, nullptr) << name;
    EXPECT_EQ(down->ne[0], p.hidden);
    EXPECT_EQ(down->ne[2], dense ? 1 : p.experts);
    EXPECT_EQ(file.Tensor("blk.0.ffn_gate_inp.weight") == nullptr, dense);
  }
}

TEST_F(MakeModelTest, SameSeedSameBytesWhateverTheThreads) {
  const std::string one = ReadAll(Make("tiny-qwen2", "Q4_K_M", 7, 1));
  EXPECT_EQ(one, ReadAll(Make("tiny-qwen2", "Q4_K_M", 7, 3)));
  EXPECT_NE(one, ReadAll(Make("tiny-qwen2", "Q4_K_M", 8, 1)));
}

TEST_F(MakeModelTest, BadOptionsAreErrors) {
  EXPECT_THROW(Make("gpt-5", "Q8_0"), UsageError);
  EXPECT_THROW(Make("tiny-llama", "Q7_0"), UsageError);
  EXPECT_THROW(MakeModel({"tiny-llama", "Q8_0", 1, dir_ / "no" / "folder", 1}), InputError);
  EXPECT_THROW(MakeModel({"tiny-llama", "Q8_0", 1, "/dev/full", 1}), InputError);
  EXPECT_TRUE(fs::is_empty(dir_));
}

TEST(Preset, ParametersAreThePublishedCounts) {
  // smollm2-135m: 134,515,008; the test in make_model counts what it writes, this one the formula.
  const Preset& p = FindPreset("smollm2-135m");
  const uint64_t q = uint64_t{p.heads} * p.head_dim, kv = uint64_t{p.kv_heads} * p.head_dim;
  const uint64_t layer =
      2 * p.dim * q + 2 * p.dim * kv + 3 * uint64_t{p.dim} * p.hidden + 2 * p.dim;
  EXPECT_EQ(uint64_t{p.vocab} * p.dim + p.layers * layer + p.dim, 134515008u);
  EXPECT_THROW(FindPreset("nope"), UsageError);
}

// A tensor larger than the pool: moments as asked, all rows different.
TEST(RandomWeights, HasItsMomentsAndDistinctRows) {
  for (const DType type : {DType::kF32, DType::kQ8_0, DType::kQ4_K}) {
    const RandomTensor tensor = {"w", type, 2048, 512, 0, 0.05f};
    const RandomWeights weights(tensor, 3, 2);
    std::vector<uint8_t> bytes(2048 * weights.row_bytes());
    weights.Fill(0, 2048, bytes.data());
    std::vector<float> row(512), first(512);
    double sum = 0, squares = 0;
    for (size_t r = 0; r < 2048; ++r) {
      DecodeScalar(type, bytes.data() + r * weights.row_bytes(), 512, row.data());
      for (const float v : row) {
        sum += v;
        squares += v * v;
      }
      if (r == 0) {
        first = row;
      } else {
        ASSERT_NE(row, first) << r;
      }
    }
    constexpr double kCount = 2048.0 * 512.0;
    EXPECT_NEAR(sum / kCount, 0, 0.0005);
    EXPECT_NEAR(std::sqrt(squares / kCount), 0.05, 0.001);

    std::vector<uint8_t> part(2 * weights.row_bytes());
    weights.Fill(100, 102, part.data());
    EXPECT_TRUE(std::equal(part.begin(), part.end(),
                           bytes.begin() + static_cast<ptrdiff_t>(100 * weights.row_bytes())));
  }
}

TEST(RandomWeights, SmallVectorsOfAnyLength) {
  const RandomTensor tensor = {"n", DType::kF32, 1, 48, 1, 0.05f};
  const RandomWeights weights(tensor, 3, 1);
  std::vector<float> row(48);
  weights.Fill(0, 1, reinterpret_cast<uint8_t*>(row.data()));
  for (const float v : row) EXPECT_NEAR(v, 1.0f, 0.2f);
}

}  // namespace
}  // namespace smallmind
