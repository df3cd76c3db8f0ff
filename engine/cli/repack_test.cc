#include "engine/model/repack.h"

#include <gtest/gtest.h>

#include <numeric>

#include "engine/base/testing.h"
#include "engine/model/forward_testing.h"
#include "engine/modelmaker/quantize.h"

namespace smallmind {
namespace {

std::vector<std::filesystem::path> GoldenModels() {
  std::vector<std::filesystem::path> models;
  for (const auto& entry : std::filesystem::directory_iterator(TestdataDir() / "arch")) {
    if (entry.path().extension() == ".gguf") models.push_back(entry.path());
  }
  return models;
}

size_t PackedMatrices(const ModelWeights& w) {
  size_t n = w.output.weight.packed;
  for (const LayerWeights& layer : w.layers) {
    for (const Linear* linear : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up,
                                 &layer.down, &layer.router}) {
      n += linear->weight.packed;
    }
    for (const ExpertMatrices* experts : {&layer.gate_exps, &layer.up_exps, &layer.down_exps}) {
      n += experts->stacked.weight.packed;
      for (const Linear& expert : experts->split) n += expert.weight.packed;
    }
  }
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
      const Model stored = Model::Load(path), repacked = Model::Load(path, 0, 3);
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
  const Model model = Model::Load(path, 0, 1);
  const std::span<const uint8_t> copy = model.copy.bytes();
  const auto inside = [&](const WeightView& w) {
    return w.data >= copy.data() && w.data + w.bytes() <= copy.data() + copy.size();
  };
  EXPECT_EQ(model.weights.output.weight.data, model.weights.token_embedding.data);
  EXPECT_TRUE(model.weights.token_embedding.packed);
  size_t bytes = model.weights.output.weight.bytes();
  for (const LayerWeights& layer : model.weights.layers) {
    for (const Linear* linear :
         {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) {
      EXPECT_TRUE(inside(linear->weight));
      bytes += linear->weight.bytes();
    }
  }
  EXPECT_TRUE(inside(model.weights.output.weight));
  EXPECT_LT(copy.size(), bytes + 64 * 7 * (model.weights.layers.size() + 1));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace smallmind
