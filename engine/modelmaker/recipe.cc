// The mixed recipes follow what files named Q4_K_M and Q5_K_M contain in practice. Tested in
// recipe_test.cc.
#include "engine/modelmaker/recipe.h"

#include <array>
#include <charconv>
#include <string>

#include "engine/base/ascii_case.h"
#include "engine/base/error.h"
#include "engine/base/quote.h"

namespace smallmind {
namespace {

constexpr std::array<Recipe, 17> kRecipes = {{
    {"F32", DType::kF32, false, 0},
    {"F16", DType::kF16, false, 1},
    {"BF16", DType::kBF16, false, 32},
    {"Q8_0", DType::kQ8_0, false, 7},
    {"Q4_0", DType::kQ4_0, false, 2},
    {"Q4_1", DType::kQ4_1, false, 3},
    {"Q5_0", DType::kQ5_0, false, 8},
    {"Q5_1", DType::kQ5_1, false, 9},
    {"Q4_K_M", DType::kQ4_K, true, 15},
    {"Q5_K_M", DType::kQ5_K, true, 17},
    {"Q2_K", DType::kQ2_K, false, 10},
    {"Q3_K", DType::kQ3_K, false, 11},
    {"Q4_K", DType::kQ4_K, false, 14},
    {"Q5_K", DType::kQ5_K, false, 16},
    {"Q6_K", DType::kQ6_K, false, 18},
    {"IQ4_NL", DType::kIQ4_NL, false, 25},
    {"IQ4_XS", DType::kIQ4_XS, false, 30},
}};

// N of "blk.N.…", 0 elsewhere.
uint32_t LayerOf(std::string_view tensor) {
  uint32_t layer = 0;
  if (tensor.starts_with("blk.")) {
    std::from_chars(tensor.data() + 4, tensor.data() + tensor.size(), layer);
  }
  return layer;
}

// The first and last eighth of the layers, and every third between.
bool UseMoreBits(uint32_t layer, uint32_t layers) {
  return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

DType MixedType(const Recipe& recipe, const RecipeModel& model, std::string_view tensor) {
  constexpr uint32_t kManyExperts = 8;
  const bool is_output =
      tensor == "output.weight" || (!model.has_output && tensor == "token_embd.weight");
  if (is_output) return DType::kQ6_K;
  const bool more = UseMoreBits(LayerOf(tensor), model.layers);
  const bool moe = model.experts == kManyExperts;
  if (tensor.ends_with("attn_v.weight")) {
    return moe ? DType::kQ8_0 : more ? DType::kQ6_K : recipe.base;
  }
  if (tensor.ends_with("attn_k.weight") && moe) return DType::kQ8_0;
  if (tensor.ends_with("attn_output.weight") && moe) return DType::kQ5_K;
  if (tensor.ends_with("attn_qkv.weight")) {
    return recipe.base == DType::kQ4_K ? DType::kQ5_K : DType::kQ6_K;
  }
  const bool down = tensor.ends_with("ffn_down.weight") || tensor.ends_with("ffn_down_exps.weight");
  return down && more ? DType::kQ6_K : recipe.base;
}

DType WithoutSuperBlocks(DType type) {
  switch (type) {
    case DType::kQ2_K:
    case DType::kQ3_K:
    case DType::kIQ4_XS:
      return DType::kIQ4_NL;
    case DType::kQ4_K:
      return DType::kQ5_0;
    case DType::kQ5_K:
      return DType::kQ5_1;
    case DType::kQ6_K:
      return DType::kQ8_0;
    default:
      return type;
  }
}

}  // namespace

const Recipe& FindRecipe(std::string_view name) {
  for (const Recipe& recipe : kRecipes) {
    if (SameIgnoringCase(recipe.name, name)) return recipe;
  }
  std::string allowed;
  for (const Recipe& recipe : kRecipes) allowed += " " + std::string(recipe.name);
  throw UsageError("unknown weight type " + Quote(name) + ", allowed" + allowed);
}

std::vector<std::string> RecipeNames() {
  std::vector<std::string> names;
  for (const Recipe& recipe : kRecipes) names.emplace_back(recipe.name);
  return names;
}

bool IsQuantizable(std::string_view tensor, uint32_t n_dims) {
  const auto contains = [&](std::string_view part) {
    return tensor.find(part) != std::string_view::npos;
  };
  return n_dims >= 2 && tensor.ends_with(".weight") && !contains("_norm") &&
         !contains("ffn_gate_inp") && !contains("position_embd") && !contains("token_types");
}

DType WantedType(const Recipe& recipe, const RecipeModel& model, std::string_view tensor) {
  return recipe.mixed ? MixedType(recipe, model, tensor) : recipe.base;
}

DType ChooseType(const Recipe& recipe, const RecipeModel& model, std::string_view tensor,
                 uint64_t cols) {
  DType type = WantedType(recipe, model, tensor);
  if (cols % Info(type).block_elems != 0) type = WithoutSuperBlocks(type);
  if (cols % Info(type).block_elems != 0) type = DType::kF16;
  return type;
}

}  // namespace smallmind
