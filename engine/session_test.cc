// The public interface, as a user has it.

#include "engine/session.h"

#include <gtest/gtest.h>

#include <thread>

#include "engine/base/error.h"
#include "engine/base/testing.h"
#include "engine/gguf/parse.h"
#include "engine/gguf/writer.h"
#include "engine/model/tiny_model.h"

namespace smallmind {
namespace {

std::string Generate(const Engine& engine, const SessionOptions& so, const std::string& prompt,
                     const GenerateOptions& go, GenerateResult* result = nullptr) {
  Session session(engine, so);
  std::string text;
  const GenerateResult r = session.Generate(prompt, go, [&](std::string_view piece) {
    text += piece;
    return true;
  });
  if (result != nullptr) *result = r;
  return text;
}

GenerateOptions Greedy(size_t n) {
  GenerateOptions o;
  o.max_tokens = n;
  o.sampler.temperature = 0;
  return o;
}

TEST(Session, GreedyStoryIsThePublishedText) {
  SMALLMIND_NEED_SHARED("models");
  const std::string published = ReadAll(SharedDir() / "models" / "stories260K.greedy.txt");
  const Engine engine = Engine::Open(StoriesModel(), {});
  for (DType kv : {DType::kF32, DType::kF16}) {
    for (size_t threads : {1, 2, 4}) {
      if (FormOfTests() == TestForm::kShort && (kv == DType::kF16 ? threads > 1 : threads == 2))
        continue;
      const std::string text =
          Generate(engine, {.threads = threads, .kv_type = kv}, "", Greedy(256));
      EXPECT_EQ(text.substr(0, published.size()), published.substr(0, text.size()));
      EXPECT_GT(text.size(), 400u);
    }
  }
}

std::vector<float> LogitsAfter(Session& session, TokenId token) {
  const std::span<const float> logits = session.Decode(token);
  return {logits.begin(), logits.end()};
}

TEST(Session, TwoGenerationsEqualOne) {
  const Engine engine = Engine::Open(MixtralModel(), {});
  const auto any = [](std::string_view) { return true; };
  GenerateOptions o = Greedy(20);
  o.ignore_eos = true;
  o.sampler.repeat_penalty = 1.5f;  // looks back over both
  Session whole(engine, {.threads = 1});
  const std::vector<TokenId> expected = whole.Generate("Once", o, any).tokens;
  ASSERT_EQ(expected.size(), 20u);
  const std::vector<float> logits = LogitsAfter(whole, 7);
  for (const size_t first : {0, 1, 7, 19}) {
    Session session(engine, {.threads = 1});
    o.max_tokens = first;
    GenerateResult r = session.Generate("Once", o, any);
    EXPECT_EQ(session.position(), r.prompt.size() + first);
    std::vector<TokenId> tokens = r.tokens;
    o.max_tokens = 20 - first;
    r = session.Generate("", o, any);
    EXPECT_TRUE(r.prompt.empty());
    tokens.insert(tokens.end(), r.tokens.begin(), r.tokens.end());
    EXPECT_EQ(tokens, expected) << first;
    EXPECT_EQ(LogitsAfter(session, 7), logits) << first;
    EXPECT_EQ(session.position(), whole.position());
  }
}

// What was generated last stands before the next prompt, and has no row of its own there.
TEST(Session, APromptAfterAGenerationFollowsItsLastToken) {
  const Engine engine = Engine::Open(MixtralModel(), {});
  Session session(engine, {.threads = 1}), plain(engine, {.threads = 1});
  const GenerateResult r =
      session.Generate("Once", Greedy(3), [](std::string_view) { return true; });
  ASSERT_EQ(r.tokens.size(), 3u);
  plain.Prefill(r.prompt);
  plain.Prefill(r.tokens);
  const std::vector<TokenId> next = {5, 9};
  std::vector<std::vector<float>> expected, rows;
  plain.PrefillAll(next, [&](auto row) { expected.emplace_back(row.begin(), row.end()); });
  session.PrefillAll(next, [&](auto row) { rows.emplace_back(row.begin(), row.end()); });
  EXPECT_EQ(rows, expected);
}

TEST(Session, WhatCannotRunLeavesTheSequenceAsItWas) {
  const Engine engine = Engine::Open(MixtralModel(), {});
  Session session(engine, {.threads = 1, .batch = 2}), plain(engine, {.threads = 1});
  const std::vector<TokenId> good = {3, 4}, bad = {5, -1};
  session.Prefill(good);
  EXPECT_THROW(session.Prefill(bad), InputError);
  EXPECT_EQ(session.position(), 2u);
  EXPECT_THROW(session.Generate("", Greedy(1), [](std::string_view) { return true; }), InputError);
  plain.Prefill(good);
  EXPECT_EQ(LogitsAfter(session, 6), LogitsAfter(plain, 6));
}

TEST(Session, StopStringEndsAndIsNotShown) {
  const Engine engine = Engine::Open(MixtralModel(), {});
  GenerateOptions o = Greedy(40);
  o.ignore_eos = true;
  const std::string whole = Generate(engine, {.threads = 1}, "", o);
  ASSERT_GT(whole.size(), 20u);
  const std::string stop = whole.substr(10, 4);
  o.stop = {"never there", stop};
  GenerateResult result;
  EXPECT_EQ(Generate(engine, {.threads = 1}, "", o, &result), whole.substr(0, whole.find(stop)));
  EXPECT_EQ(result.reason, StopReason::kStopString);
}

TEST(Session, CallbackCancels) {
  const Engine engine = Engine::Open(MixtralModel(), {});
  Session session(engine, {.threads = 1});
  size_t calls = 0;
  const GenerateResult r =
      session.Generate("", Greedy(100), [&](std::string_view) { return ++calls < 3; });
  EXPECT_EQ(r.reason, StopReason::kCancelled);
  EXPECT_EQ(calls, 3u);
}

// Also where nothing is shown: in the prompt, and while a stop string may yet come.
TEST(Session, ShouldStopCancelsAtAnyTime) {
  const Engine engine = Engine::Open(MixtralModel(), {});
  const std::string prompt(100, 'x');
  GenerateOptions o = Greedy(20);
  o.ignore_eos = true;
  size_t asked = 0, allowed = 1;
  o.should_stop = [&] { return asked++ >= allowed; };
  const auto any = [](std::string_view) { return true; };
  Session session(engine, {.threads = 1, .batch = 32});
  GenerateResult r = session.Generate(prompt, o, any);
  EXPECT_EQ(r.reason, StopReason::kCancelled);
  EXPECT_EQ(session.position(), 64u);  // of 100 tokens and BOS
  EXPECT_GT(r.prompt.size(), 64u);
  EXPECT_TRUE(r.tokens.empty());

  session.Reset();
  asked = 0, allowed = 6;
  std::string text;
  r = session.Generate(prompt, o, [&](std::string_view piece) {
    text += piece;
    return true;
  });
  EXPECT_EQ(r.reason, StopReason::kCancelled);
  EXPECT_EQ(r.tokens.size(), 4u);  // two pieces of the prompt, four tokens
  session.Reset();
  asked = 0;
  o.stop = {text + " and what never comes"};
  std::string held;
  size_t calls = 0;
  r = session.Generate(prompt, o, [&](std::string_view piece) {
    held += piece;
    ++calls;
    return true;
  });
  EXPECT_EQ(r.tokens.size(), 4u);
  EXPECT_EQ(held, text);  // what was held back is shown at the end
}

// mixtral.gguf with 266 of its 272 tokens: six rows of its embedding are padding, and two of those
// have the highest and the lowest logit, whatever the state.
TEST(Session, PaddingRowsOfTheEmbeddingAreNeverSampled) {
  const GgufFile file = GgufFile::Open(MixtralModel());
  constexpr size_t kTokens = 266;
  const auto path = TestTempDir() / "padded.gguf";
  GgufWriter out(path);
  for (const GgufValue& value : file.values()) {
    if (value.key == "tokenizer.ggml.tokens") {
      const std::vector<std::string_view> all = value.array.Strings();
      out.AddArray(value.key, std::vector<std::string>(all.begin(), all.begin() + kTokens));
    } else if (value.key == "tokenizer.ggml.scores") {
      out.AddArray(value.key, std::vector<float>(kTokens));
    } else if (value.key == "tokenizer.ggml.token_type") {
      const std::vector<int32_t> all = value.array.Ints();
      out.AddArray(value.key, std::span(all).first(kTokens));
    } else {
      out.Copy(value);
    }
  }
  for (const GgufTensor& t : file.tensors()) {
    out.DeclareTensor(t.name, t.type, std::span(t.ne).first(t.n_dims));
  }
  for (const GgufTensor& t : file.tensors()) {
    std::vector<uint8_t> bytes(t.data.begin(), t.data.end());
    if (t.name == "output.weight") {
      ASSERT_EQ(t.type, DType::kF16);
      const size_t row = t.ne[0] * 2;
      for (size_t i = 1; i < row;
           i += 2) {  // 32 and −32: the high bytes, the low ones hardly count
        bytes[kTokens * row + i] = 0x50;
        bytes[(kTokens + 1) * row + i] = 0xd0;
      }
    }
    out.WriteData(bytes);
  }
  out.Finish();
  const Engine engine = Engine::Open(path, {});
  Session session(engine, {.threads = 1});
  const std::vector<TokenId> start = {1};
  EXPECT_GE(GreedyToken(session.Prefill(start)), static_cast<TokenId>(kTokens));
  session.Reset();
  GenerateOptions o = Greedy(20);
  o.ignore_eos = true;
  for (const TokenId token :
       session.Generate("Once", o, [](std::string_view) { return true; }).tokens) {
    EXPECT_LT(token, static_cast<TokenId>(kTokens));
  }
}

TEST(Session, AContextBeyondLearnedPositionsIsRefusedAtOnce) {
  const Engine engine = Engine::OpenWithoutTokenizer(TestdataDir() / "arch" / "gpt2.gguf", {});
  const size_t positions = engine.model().weights.position_embedding.rows;
  EXPECT_EQ(Session(engine, {.threads = 1}).context(), positions);
  EXPECT_EQ(Session(engine, {.threads = 1, .context = positions}).context(), positions);
  EXPECT_THROW(Session(engine, {.threads = 1, .context = positions + 1}), InputError);
}

TEST(Session, ContextOverflowIsAClearError) {
  const Engine engine = Engine::Open(MixtralModel(), {});
  Session session(engine, {.threads = 1, .context = 8});
  const std::vector<TokenId> nine(9, 5);
  EXPECT_THROW(session.Prefill(nine), InputError);
  GenerateResult r;
  Generate(engine, {.threads = 1, .context = 8}, "", Greedy(100), &r);
  EXPECT_EQ(r.reason, StopReason::kContextFull);
}

// Two sessions at once on one model give what each gives alone; under TSan this is the data-race
// test.
TEST(Session, ConcurrentSessionsGiveWhatEachGivesAlone) {
  const Engine engine = Engine::Open(MixtralModel(), {});
  GenerateOptions warm = Greedy(40);
  warm.sampler.temperature = 0.9f;
  warm.sampler.seed = 7;
  const std::string alone_a = Generate(engine, {.threads = 2}, "Once upon a time", Greedy(40));
  const std::string alone_b = Generate(engine, {.threads = 2}, "The dog", warm);
  // An engine that nobody has used: what it builds at first use is built by both.
  const Engine fresh = Engine::Open(MixtralModel(), {});
  std::string a, b;
  std::thread first([&] { a = Generate(fresh, {.threads = 2}, "Once upon a time", Greedy(40)); });
  std::thread second([&] { b = Generate(fresh, {.threads = 2}, "The dog", warm); });
  first.join();
  second.join();
  EXPECT_EQ(a, alone_a);
  EXPECT_EQ(b, alone_b);
}

TEST(StopMatcher, HoldsBackOnlyWhatCouldBecomeAStop) {
  StopMatcher m({"<end>", "STOP"});
  EXPECT_EQ(m.Push("abc<e"), "abc");
  EXPECT_EQ(m.Push("x"), "<ex");
  EXPECT_EQ(m.Push("ST"), "");
  EXPECT_EQ(m.Push("OP tail"), "");
  EXPECT_TRUE(m.stopped());
  EXPECT_EQ(m.Flush(), "");
  StopMatcher open({"STOP"});
  EXPECT_EQ(open.Push("aST"), "a");
  EXPECT_EQ(open.Flush(), "ST");
}

// Such a model rotates short and long contexts differently, and one set of factors is read.
TEST(Session, ALongContextNeedsAModelOpenedForIt) {
  const auto path = TestTempDir() / "two_factors.gguf";
  TinyShape phi3{.arch = "phi3", .kv_heads = 2, .context = 8192, .fused = true};
  phi3.keys = {{"rope.scaling.original_context_length", uint32_t{64}}};
  phi3.factors = {{"rope_factors_long.weight", std::vector<float>(6, 2.0f)},
                  {"rope_factors_short.weight", std::vector<float>(6, 1.0f)}};
  TinyModel::Write(phi3, path);
  const Engine small = Engine::OpenWithoutTokenizer(path, {.context = 64});
  EXPECT_NO_THROW(Session(small, {.threads = 1, .context = 64}));
  EXPECT_THROW(Session(small, {.threads = 1, .context = 65}), InputError);
  const Engine large = Engine::OpenWithoutTokenizer(path, {.context = 65});
  EXPECT_NO_THROW(Session(large, {.threads = 1, .context = 100}));
}

}  // namespace
}  // namespace smallmind
