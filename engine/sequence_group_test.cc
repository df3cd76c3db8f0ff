#include "engine/sequence_group.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/base/error.h"

namespace smallmind {
namespace {

Engine Golden(const char* name) {
  return Engine::OpenWithoutTokenizer(
      std::string(SMALLMIND_SOURCE_DIR "/engine/testdata/arch/") + name, {});
}

// Sequences of different lengths, decoded together, give what each gives alone.
TEST(SequenceGroup, EachSequenceEqualsItselfAlone) {
  for (const char* name : {"llama.gguf", "gemma2.gguf", "mixtral.gguf"}) {
    const Engine engine = Golden(name);
    const size_t vocab = engine.model().spec.vocab;
    const SessionOptions options{.threads = 2, .context = 40};
    constexpr size_t kSequences = 5, kSteps = 6;
    SequenceGroup group(engine, options, kSequences);
    std::vector<std::vector<TokenId>> prompts;
    for (size_t i = 0; i < kSequences; ++i) {
      std::vector<TokenId> prompt;
      for (size_t k = 0; k < 3 + 2 * i; ++k) {
        prompt.push_back(static_cast<TokenId>((7 * i + 3 * k + 1) % vocab));
      }
      group.Prefill(i, prompt);
      prompts.push_back(prompt);
    }
    std::vector<std::vector<float>> together(kSequences);
    std::vector<TokenId> tokens(kSequences);
    for (size_t step = 0; step < kSteps; ++step) {
      for (size_t i = 0; i < kSequences; ++i) {
        tokens[i] = static_cast<TokenId>((5 * i + step) % vocab);
      }
      const std::span<const float> logits = group.Decode(tokens);
      ASSERT_EQ(logits.size(), kSequences * vocab);
      for (size_t i = 0; i < kSequences; ++i) {
        together[i].insert(together[i].end(), logits.begin() + i * vocab,
                           logits.begin() + (i + 1) * vocab);
      }
    }
    for (size_t i = 0; i < kSequences; ++i) {
      EXPECT_EQ(group.position(i), prompts[i].size() + kSteps);
      Session alone(engine, options);
      alone.Prefill(prompts[i]);
      std::vector<float> expected;
      for (size_t step = 0; step < kSteps; ++step) {
        const std::span<const float> logits =
            alone.Decode(static_cast<TokenId>((5 * i + step) % vocab));
        expected.insert(expected.end(), logits.begin(), logits.end());
      }
      EXPECT_EQ(together[i], expected) << name << " sequence " << i;
    }
  }
}

TEST(SequenceGroup, WrongCountAndFullContextAreErrors) {
  const Engine engine = Golden("llama.gguf");
  SequenceGroup group(engine, {.threads = 1, .context = 4}, 2);
  const std::vector<TokenId> four = {1, 2, 3, 4}, one = {1}, two = {1, 1};
  EXPECT_THROW(group.Decode(one), InputError);
  group.Prefill(0, four);
  EXPECT_THROW(group.Decode(two), InputError);
  EXPECT_THROW(group.Prefill(0, one), InputError);
  group.Reset();
  EXPECT_NO_THROW(group.Decode(two));
}

}  // namespace
}  // namespace smallmind
