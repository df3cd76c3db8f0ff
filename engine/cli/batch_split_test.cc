// The order contract at a prompt's length, for every weight type: 256 tokens in batches of 1, 7, 64
// and 256 with 1 to 4 threads, on every target with FMA, give the same logits bit for bit. Sizes on
// both sides of the tile and chunk limits: 7 leaves a tail, 1 is the matrix-vector path, 256 the
// full tile.
//
// Small batches of several threads are mostly barriers, slow where other tests fill the machine: in
// the usual form they get the last tokens after one batch of the others. The short form has a
// prompt of 80 tokens and one team a batch, of 1 or 4 threads in turn.

#include <gtest/gtest.h>

#include "engine/base/testing.h"
#include "engine/cli/typed_model_testing.h"
#include "engine/kernels/targets_testing.h"
#include "engine/model/forward_testing.h"
#include "engine/modelmaker/recipe.h"

namespace smallmind {
namespace {

void ExpectSameBitsHoweverCut(const Model& model) {
  const TestForm form = FormOfTests();
  const size_t length = form == TestForm::kShort ? 80 : 256;
  std::vector<int32_t> tokens;
  for (int32_t i = 0; i < static_cast<int32_t>(length); ++i) {
    tokens.push_back((i * i * 31 + 7 * i + 1) % static_cast<int32_t>(model.spec.vocab));
  }
  const std::vector<float> first = Logits(model, tokens, {.threads = 1, .batch = length});
  for (size_t batch : {size_t{1}, size_t{7}, size_t{64}, length}) {
    const std::vector<size_t> team_sizes =
        form == TestForm::kShort ? std::vector<size_t>{batch == 7 || batch == length ? 4u : 1u}
                                 : std::vector<size_t>{1, 2, 3, 4};
    for (size_t threads : team_sizes) {
      const bool whole = form == TestForm::kFull || threads == 1 || batch > 7;
      const size_t prefix = whole ? 0 : length - (batch == 1 ? 8 : 18);
      EXPECT_TRUE(SameBits(
          first, Logits(model, tokens, {.threads = threads, .batch = batch, .prefix = prefix})))
          << "batch " << batch << " threads " << threads;
    }
  }
  ForEachTarget([&](const std::string& target) {
    if (!TargetHasFma(target)) return;
    EXPECT_TRUE(SameBits(first, Logits(model, tokens, {.threads = 3, .batch = length}))) << target;
  });
}

class BatchSplit : public testing::TestWithParam<std::string> {};

TEST_P(BatchSplit, SameBitsHoweverCut) {
  const TypedModel file(GetParam());
  const Model model = Model::Load(file.path());
  EXPECT_EQ(model.weights.layers[0].q.weight.type, FindRecipe(GetParam()).base);
  ExpectSameBitsHoweverCut(model);
}

INSTANTIATE_TEST_SUITE_P(All, BatchSplit, testing::ValuesIn(RecipeNames()),
                         [](const auto& info) { return info.param; });

// A mixture of experts copies tokens into slots and quantises them there.
class BatchSplitOfExperts : public testing::TestWithParam<std::string> {};

TEST_P(BatchSplitOfExperts, SameBitsHoweverCut) {
  const TypedModel file(GetParam(), TypedModel::ShapeOfExperts());
  const Model model = Model::Load(file.path());
  EXPECT_EQ(model.weights.layers[0].down_exps[0].weight.type, FindRecipe(GetParam()).base);
  ExpectSameBitsHoweverCut(model);
}

INSTANTIATE_TEST_SUITE_P(One, BatchSplitOfExperts, testing::Values("Q4_0", "BF16"),
                         [](const auto& info) { return info.param; });

// Heads that are not whole blocks of 32: the attention's output is quantised when all are there.
class BatchSplitOfSmallHeads : public testing::TestWithParam<std::string> {};

TEST_P(BatchSplitOfSmallHeads, SameBitsHoweverCut) {
  const TypedModel file(GetParam(), {.dim = 96, .ff = 96, .head = 24, .context = 256});
  const Model model = Model::Load(file.path());
  EXPECT_EQ(model.weights.layers[0].o.weight.type, FindRecipe(GetParam()).base);
  ExpectSameBitsHoweverCut(model);
}

INSTANTIATE_TEST_SUITE_P(One, BatchSplitOfSmallHeads, testing::Values("Q8_0", "BF16"),
                         [](const auto& info) { return info.param; });

// Every type of the engine is among them.
TEST(BatchSplitTypes, CoversEveryType) {
  for (const DTypeInfo& type : AllDTypes()) {
    EXPECT_EQ(FindRecipe(type.name).base, type.type) << type.name;
  }
}

}  // namespace
}  // namespace smallmind
