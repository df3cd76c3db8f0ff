// Whole forward passes of every weight type against float64 over the same weights decoded: kernels
// and rounding of activations at once. Shared is only the decoder that decode_test.cc holds against
// reference blocks.

#include <gtest/gtest.h>

#include <cmath>

#include "engine/base/testing.h"
#include "engine/cli/typed_model_testing.h"
#include "engine/model/double_forward.h"
#include "engine/model/forward_testing.h"
#include "engine/model/repack.h"
#include "engine/modelmaker/quantize.h"
#include "engine/modelmaker/recipe.h"
#include "engine/tensor/packed.h"

namespace smallmind {
namespace {

class ForwardTypes : public testing::TestWithParam<std::string> {};

TEST_P(ForwardTypes, LogitsAreThoseOfTheDecodedWeights) {
  const TypedModel file(GetParam());
  const auto decoded = TestTempDir() / (GetParam() + "_decoded.gguf");
  Quantize({file.path(), decoded, "F32", 1});
  const Model model = Model::Load(file.path());
  const ModelSpec& s = model.spec;
  EXPECT_EQ(model.weights.layers[0].q.weight.type, FindRecipe(GetParam()).base);
  const GgufFile exact = GgufFile::Open(decoded);
  DoubleForward formula(
      exact,
      {.layers = s.n_layers,
       .heads = s.n_heads,
       .kv_heads = s.n_kv_heads,
       .head = s.head_dim_k,
       .eps = double{s.norm_eps},
       .turn = [](size_t, size_t i) { return std::pow(10000.0, -double(2 * i) / kTypedHead); },
       .n_rot = kTypedHead,
       .halves = false});
  const std::vector<int32_t> tokens = {1, 26, 65, 27, 10, 69, 40, 7};
  std::vector<float> expected;
  for (const auto& row : formula.Logits(tokens)) {
    for (const double v : row) expected.push_back(static_cast<float>(v));
  }
  // Beside blocks activations are rounded to 8 bits (2.4e-4 to 3.3e-4), beside BF16 they may be
  // rounded to it (2.6e-5).
  const DType type = model.weights.layers[0].q.weight.type;
  const double bound = Info(type).block_elems > 1 ? 5e-4 : type == DType::kBF16 ? 1e-4 : 1e-10;
  Model repacked = Model::Load(file.path());
  Repack(repacked, 2);
  EXPECT_EQ(repacked.weights.layers[0].q.weight.packed, CanPack(type));
  for (size_t batch : {1, 2, 3, 8}) {
    const std::vector<float> logits = Logits(model, tokens, {.batch = batch});
    EXPECT_LE(Nmse(expected, logits), bound) << "batch " << batch;
    EXPECT_TRUE(SameBits(logits, Logits(repacked, tokens, {.threads = 2, .batch = batch})))
        << "batch " << batch;
  }
  std::filesystem::remove(decoded);
}

INSTANTIATE_TEST_SUITE_P(All, ForwardTypes, testing::ValuesIn(RecipeNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace smallmind
