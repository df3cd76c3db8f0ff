// The public interface, as a user has it.

#include "engine/session.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "engine/base/error.h"
#include "engine/base/testing.h"

namespace smallmind {
namespace {

std::filesystem::path Stories() { return SharedDir() / "models" / "stories260K-f32.gguf"; }

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
  std::ifstream file(SharedDir() / "models" / "stories260K.greedy.txt", std::ios::binary);
  const std::string published{std::istreambuf_iterator<char>(file), {}};
  const Engine engine = Engine::Open(Stories(), {});
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

TEST(Session, StopStringEndsAndIsNotShown) {
  SMALLMIND_NEED_SHARED("models");
  const Engine engine = Engine::Open(Stories(), {});
  GenerateOptions o = Greedy(100);
  const std::string whole = Generate(engine, {.threads = 1}, "", o);
  ASSERT_NE(whole.find("Lily"), std::string::npos);
  o.stop = {"never there", "Lily"};
  GenerateResult result;
  EXPECT_EQ(Generate(engine, {.threads = 1}, "", o, &result), whole.substr(0, whole.find("Lily")));
  EXPECT_EQ(result.reason, StopReason::kStopString);
}

TEST(Session, CallbackCancels) {
  SMALLMIND_NEED_SHARED("models");
  const Engine engine = Engine::Open(Stories(), {});
  Session session(engine, {.threads = 1});
  size_t calls = 0;
  const GenerateResult r =
      session.Generate("", Greedy(100), [&](std::string_view) { return ++calls < 3; });
  EXPECT_EQ(r.reason, StopReason::kCancelled);
  EXPECT_EQ(calls, 3u);
}

TEST(Session, ContextOverflowIsAClearError) {
  SMALLMIND_NEED_SHARED("models");
  const Engine engine = Engine::Open(Stories(), {});
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
  SMALLMIND_NEED_SHARED("models");
  const Engine engine = Engine::Open(Stories(), {});
  GenerateOptions warm = Greedy(40);
  warm.sampler.temperature = 0.9f;
  warm.sampler.seed = 7;
  const std::string alone_a = Generate(engine, {.threads = 2}, "Once upon a time", Greedy(40));
  const std::string alone_b = Generate(engine, {.threads = 2}, "The dog", warm);
  // An engine that nobody has used: what it builds at first use is built by both.
  const Engine fresh = Engine::Open(Stories(), {});
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

}  // namespace
}  // namespace smallmind
