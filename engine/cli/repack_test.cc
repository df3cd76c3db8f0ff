#include "engine/model/repack.h"

#include <gtest/gtest.h>

#include <numeric>

#include "engine/base/error.h"
#include "engine/base/testing.h"
#include "engine/model/forward_testing.h"
#include "engine/modelmaker/quantize.h"

namespace smallmind {
namespace {

size_t PackedMatrices(ModelWeights& weights) {
  size_t n = 0;
  ForEachMatrix(weights, [&](const WeightView& view, size_t) { n += view.packed; });
  return n;
}

// Fused projections, experts, tied embeddings, floats: whatever a file has, stored and repacked
// give the same logits.
TEST(Repack, LogitsOfEveryArchitectureStayTheSame) {
  const auto path = TestTempDir() / "repack.gguf";
  std::vector<int32_t> tokens(9);
  std::iota(tokens.begin(), tokens.end(), 3);
  for (const auto& golden : GoldenModels()) {
    for (const char* type : {"F16", "Q8_0", "Q4_0"}) {
      Quantize({golden, path, type, 1});
      Model stored = Model::Load(path), repacked = Model::Load(path);
      Repack(repacked, 3);
      EXPECT_EQ(PackedMatrices(stored.weights), 0u);
      EXPECT_EQ(PackedMatrices(repacked.weights) > 0, *type == 'Q') << golden << " " << type;
      for (const size_t batch : {1, 9}) {
        EXPECT_TRUE(SameBits(Logits(stored, tokens, {.batch = batch}),
                             Logits(repacked, tokens, {.threads = 2, .batch = batch})))
            << golden << " " << type << " batch " << batch;
      }
    }
  }
  std::filesystem::remove(path);
}

// Of the two views of a tied matrix there is one copy; nothing is left in the file.
TEST(Repack, EveryMatrixIsCopiedOnce) {
  const auto path = TestTempDir() / "repack_once.gguf";
  Quantize({TestdataDir() / "arch" / "llama-tied-ropefreqs.gguf", path, "Q8_0", 1});
  Model model = Model::Load(path);
  Repack(model, 1);
  const std::span<const uint8_t> copy = model.copy.bytes();
  const auto inside = [&](const WeightView& w) {
    return w.data >= copy.data() && w.data + w.bytes() <= copy.data() + copy.size();
  };
  EXPECT_EQ(model.weights.output.weight.data, model.weights.token_embedding.data);
  EXPECT_TRUE(model.weights.token_embedding.packed);
  size_t bytes = 0, matrices = 0;
  ForEachMatrix(model.weights, [&](const WeightView& view, size_t) {
    EXPECT_TRUE(inside(view));
    bytes += view.bytes();
    ++matrices;
  });
  EXPECT_EQ(matrices, 1 + 7 * model.weights.layers.size());
  EXPECT_LT(copy.size(), bytes + 64 * matrices);
  std::filesystem::remove(path);
}

TEST(Repack, SaysThatMemoryDoesNotSuffice) {
  Model model = Model::Load(MixtralModel());
  WeightView& output = model.weights.output.weight;
  output.rows = (size_t{1} << 50) / output.row_bytes;
  try {
    Repack(model, 1);
    ADD_FAILURE() << "a petabyte was copied";
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("without --repack"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace smallmind
