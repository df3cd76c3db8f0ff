// Which type each tensor of a model is written in.
//
// A plain type applies to every weight matrix; a mixed recipe (Q4_K_M, Q5_K_M) spends more bits
// where the field has found them to matter: the output projection, half of the value and down
// projections.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tensor/dtype.h"

namespace smallmind {

struct Recipe {
  std::string_view name;  // as users write it: "Q4_K_M"
  DType base;             // of most matrices
  bool mixed;             // the "_M" rules apply
  uint32_t file_type;     // general.file_type
};

// Case-insensitive; UsageError listing what is allowed.
const Recipe& FindRecipe(std::string_view name);
std::vector<std::string> RecipeNames();

// What the rules need to know of the whole model.
struct RecipeModel {
  uint32_t layers = 0;
  uint32_t experts = 0;
  bool has_output = true;  // false: token_embd.weight is the output projection too
};

// Norms, biases, routers and position tables keep the type they have.
bool IsQuantizable(std::string_view tensor, uint32_t n_dims);
// Type the recipe has for a quantisable tensor, whatever its rows.
DType WantedType(const Recipe& recipe, const RecipeModel& model, std::string_view tensor);
// Type for a quantisable tensor with rows of `cols` elements. Where a row is no whole number of
// super-blocks the next larger 32-element type stands in (Q4_K → Q5_0, Q5_K → Q5_1, Q6_K → Q8_0,
// smaller ones → IQ4_NL); where it is no multiple of 32 either, F16.
DType ChooseType(const Recipe& recipe, const RecipeModel& model, std::string_view tensor,
                 uint64_t cols);

}  // namespace smallmind
