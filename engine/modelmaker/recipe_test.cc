#include "engine/modelmaker/recipe.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/base/error.h"

namespace smallmind {
namespace {

TEST(Recipe, NamesAreCaseInsensitive) {
  EXPECT_EQ(FindRecipe("q4_k_m").name, "Q4_K_M");
  EXPECT_EQ(FindRecipe("Q8_0").base, DType::kQ8_0);
  EXPECT_EQ(FindRecipe("bf16").file_type, 32u);
  EXPECT_THROW(FindRecipe("Q9_0"), UsageError);
  EXPECT_THROW(FindRecipe(""), UsageError);
}

TEST(Recipe, VectorsAndRoutersKeepTheirType) {
  EXPECT_TRUE(IsQuantizable("blk.0.attn_q.weight", 2));
  EXPECT_TRUE(IsQuantizable("blk.0.ffn_down_exps.weight", 3));
  EXPECT_FALSE(IsQuantizable("blk.0.attn_norm.weight", 1));
  EXPECT_FALSE(IsQuantizable("blk.0.attn_q_norm.weight", 2));
  EXPECT_FALSE(IsQuantizable("blk.0.attn_q.bias", 1));
  EXPECT_FALSE(IsQuantizable("blk.0.ffn_gate_inp.weight", 2));
  EXPECT_FALSE(IsQuantizable("position_embd.weight", 2));
  EXPECT_FALSE(IsQuantizable("rope_freqs.weight", 1));
}

TEST(Recipe, MixedSpendsBitsWhereTheyMatter) {
  const Recipe& recipe = FindRecipe("Q4_K_M");
  const RecipeModel model = {.layers = 22, .experts = 0, .has_output = true};
  const auto type = [&](std::string_view name) { return ChooseType(recipe, model, name, 2048); };
  EXPECT_EQ(type("output.weight"), DType::kQ6_K);
  EXPECT_EQ(type("token_embd.weight"), DType::kQ4_K);
  EXPECT_EQ(type("blk.3.attn_q.weight"), DType::kQ4_K);
  // Of 22 layers: 0-1, 19-21 and 4, 7, 10, 13, 16.
  std::string more;
  for (int i = 0; i < 22; ++i) {
    const std::string name = "blk." + std::to_string(i);
    EXPECT_EQ(type(name + ".attn_v.weight"), type(name + ".ffn_down.weight"));
    if (type(name + ".attn_v.weight") == DType::kQ6_K) more += std::to_string(i) + " ";
  }
  EXPECT_EQ(more, "0 1 4 7 10 13 16 19 20 21 ");

  const RecipeModel tied = {.layers = 22, .experts = 8, .has_output = false};
  EXPECT_EQ(ChooseType(recipe, tied, "token_embd.weight", 2048), DType::kQ6_K);
  EXPECT_EQ(ChooseType(recipe, tied, "blk.5.attn_v.weight", 2048), DType::kQ8_0);
}

TEST(Recipe, RowsWithoutWholeBlocksFallBack) {
  const RecipeModel model = {.layers = 30, .experts = 0, .has_output = true};
  const auto type = [&](const char* recipe, uint64_t cols) {
    return ChooseType(FindRecipe(recipe), model, "blk.9.attn_q.weight", cols);
  };
  EXPECT_EQ(type("Q4_K", 576), DType::kQ5_0);
  EXPECT_EQ(type("Q5_K", 576), DType::kQ5_1);
  EXPECT_EQ(type("Q6_K", 576), DType::kQ8_0);
  EXPECT_EQ(type("Q2_K", 576), DType::kIQ4_NL);
  EXPECT_EQ(type("Q3_K", 576), DType::kIQ4_NL);
  EXPECT_EQ(type("IQ4_XS", 576), DType::kIQ4_NL);
  EXPECT_EQ(type("Q4_0", 576), DType::kQ4_0);
  EXPECT_EQ(type("Q4_0", 100), DType::kF16);
  EXPECT_EQ(type("Q4_K", 100), DType::kF16);
  EXPECT_EQ(ChooseType(FindRecipe("Q4_K_M"), model, "output.weight", 576), DType::kQ8_0);
}

}  // namespace
}  // namespace smallmind
