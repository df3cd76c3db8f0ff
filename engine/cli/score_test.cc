// The figure that `perplexity` prints, against a float64 forward pass over the same windows.

#include "engine/cli/score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "engine/base/error.h"
#include "engine/base/testing.h"
#include "engine/model/double_forward.h"

namespace smallmind {
namespace {

// Text that the model wrote itself, drawn rather than greedy so that not every token is the likely
// one.
std::string OwnStory(const Engine& engine) {
  Session session(engine, {.threads = 1});
  GenerateOptions options;
  options.max_tokens = 300;
  options.ignore_eos = true;
  options.sampler.temperature = 1.0f;
  options.sampler.seed = 11;
  std::string story;
  session.Generate("", options, [&](std::string_view text) {
    story += text;
    return true;
  });
  return story;
}

struct Reference {
  size_t tokens = 0;
  double nll = 0, se = 0;
};

// BOS and `step` tokens a window.
Reference ReferenceScore(const Engine& engine, const std::string& text, size_t step) {
  Formula llama{.layers = 5, .heads = 8, .kv_heads = 4, .head = 8};
  llama.turn = [](size_t, size_t pair) { return std::pow(1e4, -static_cast<double>(pair) / 4); };
  llama.n_rot = 8;
  llama.halves = false;
  DoubleForward forward(engine.model().file, llama);
  const std::vector<TokenId> ids = engine.tokenizer().Encode(text, {.add_special = false});
  std::vector<double> nll;
  for (size_t at = 0; at < ids.size(); at += step) {
    std::vector<TokenId> window = {engine.tokenizer().bos()};
    for (size_t i = at; i < std::min(ids.size(), at + step); ++i) window.push_back(ids[i]);
    const auto logits = forward.Logits(window);
    for (size_t i = 1; i < window.size(); ++i) {
      double sum = 0;
      for (double x : logits[i - 1]) sum += std::exp(x);
      nll.push_back(std::log(sum) - logits[i - 1][static_cast<size_t>(window[i])]);
    }
  }
  Reference r;
  r.tokens = nll.size();
  const double n = static_cast<double>(nll.size());
  for (double x : nll) r.nll += x / n;
  double square = 0;
  for (double x : nll) square += (x - r.nll) * (x - r.nll);
  r.se = std::sqrt(square / (n - 1)) / std::sqrt(n);
  return r;
}

TEST(Score, EqualsAFloat64Reference) {
  SMALLMIND_NEED_SHARED("models");
  const Engine engine = Engine::Open(StoriesModel(), {});
  const std::string story = OwnStory(engine);
  ASSERT_GT(story.size(), 500u);
  for (size_t context : {512, 101}) {
    const Reference expected = ReferenceScore(engine, story, context - 1);
    EXPECT_GT(expected.nll, 0.5);  // a text of certain tokens would prove little
    for (size_t batch : {512, 13}) {
      Session session(engine,
                      {.threads = 2, .context = context, .batch = batch, .kv_type = DType::kF32});
      const Score score = ScoreText(engine, session, story);
      EXPECT_EQ(score.tokens, expected.tokens);
      std::printf("context %zu: perplexity %.9f, float64 %.9f, relative difference %.2e\n", context,
                  score.perplexity(), std::exp(expected.nll),
                  score.perplexity() / std::exp(expected.nll) - 1);
      EXPECT_NEAR(score.perplexity() / std::exp(expected.nll), 1.0, 1e-5);
      EXPECT_NEAR(score.nll_se / expected.se, 1.0, 1e-5);
    }
  }
}

// The same windows by hand over the engine's own logits, on a model that is always there.
TEST(Score, EveryTokenAfterAWindowsFirstIsScored) {
  const Engine engine = Engine::Open(MixtralModel(), {});
  std::string text;
  for (int i = 0; i < 90; ++i) text += static_cast<char>('a' + i * i % 26);
  const std::vector<TokenId> ids = engine.tokenizer().Encode(text, {.add_special = false});
  ASSERT_GT(ids.size(), 60u);
  for (const size_t context : {200, 17}) {
    Session session(engine, {.threads = 1, .context = context}), plain(engine, {.threads = 1});
    const Score score = ScoreText(engine, session, text);
    double nll = 0;
    size_t tokens = 0;
    for (size_t i = 0; i < ids.size(); ++i) {
      const std::vector<TokenId> bos = {engine.tokenizer().bos()};
      if (i % (context - 1) == 0) plain.Reset();
      const std::span<const float> logits =
          i % (context - 1) == 0 ? plain.Prefill(bos) : plain.Decode(ids[i - 1]);
      double sum = 0;
      for (float x : logits) sum += std::exp(double{x});
      nll += std::log(sum) - double{logits[static_cast<size_t>(ids[i])]};
      ++tokens;
    }
    EXPECT_EQ(score.tokens, tokens);
    EXPECT_NEAR(score.nll, nll / static_cast<double>(tokens), 1e-9);
  }
}

TEST(Score, TooShortATextIsAnInputError) {
  const Engine engine = Engine::Open(MixtralModel(), {});
  Session session(engine, {.threads = 1});
  EXPECT_THROW(ScoreText(engine, session, ""), InputError);
  EXPECT_THROW(ScoreText(engine, session, "a"), InputError);
}

}  // namespace
}  // namespace smallmind
