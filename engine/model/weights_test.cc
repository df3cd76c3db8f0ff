// Tensor directories that lie: each is refused with an InputError that names the tensor and what
// was expected.
#include "engine/model/weights.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/base/testing.h"
#include "engine/gguf/patched_gguf.h"

namespace smallmind {
namespace {

std::string ErrorOf(const PatchedGguf& patched) {
  try {
    const GgufFile file = patched.Open();
    BindWeights(file, ReadSpec(file, 0));
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

void ExpectRefused(const PatchedGguf& patched, const std::string& part) {
  const std::string error = ErrorOf(patched);
  EXPECT_NE(error.find(part), std::string::npos) << "error was: " << error;
}

class WeightsTest : public testing::Test {
 protected:
  PatchedGguf model_{TestdataDir() / "arch" / "llama.gguf"};
};

TEST_F(WeightsTest, EveryGoldenModelBinds) {
  int models = 0;
  for (const auto& path : GoldenModels()) {
    const GgufFile file = GgufFile::Open(path);
    const ModelSpec spec = ReadSpec(file, 0);
    const ModelWeights weights = BindWeights(file, spec);
    EXPECT_EQ(weights.layers.size(), spec.n_layers);
    EXPECT_EQ(weights.token_embedding.rows, spec.vocab);
    EXPECT_EQ(weights.output.weight.rows, spec.vocab);
    ++models;
  }
  EXPECT_GE(models, 8);
}

TEST_F(WeightsTest, MissingTensorsAreNamed) {
  ExpectRefused(model_.RemoveTensor("blk.0.ffn_down.weight"), "blk.0.ffn_down.weight");
}

TEST_F(WeightsTest, MissingNorm) {
  ExpectRefused(model_.RemoveTensor("output_norm.weight"), "output_norm.weight");
}

TEST_F(WeightsTest, SmallerMatrixThanTheMetadataSays) {
  ExpectRefused(model_.SetDim("blk.0.attn_q.weight", 1, 1), "blk.0.attn_q.weight");
}

TEST_F(WeightsTest, SmallerVocabularyThanTheEmbedding) {
  ExpectRefused(model_.SetDim("token_embd.weight", 1, 3), "");
  EXPECT_NE(ErrorOf(model_), "");
}

TEST_F(WeightsTest, NormsMustBeF32) {
  // Half the bytes as F16, same shape.
  ExpectRefused(model_.SetType("blk.0.attn_norm.weight", 1), "F32");
}

TEST_F(WeightsTest, ShortNorm) {
  ExpectRefused(model_.SetDim("blk.0.attn_norm.weight", 0, 1), "blk.0.attn_norm.weight");
}

}  // namespace
}  // namespace smallmind
