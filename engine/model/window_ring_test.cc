// Sliding windows in a ringed KV cache: to the bit what a cache of the whole context gives, over a
// context of several windows and turns of the ring, however batches are cut. The short form has two
// batch sizes, of half-precision and quantised caches the smaller one, each with one number of
// threads.

#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/base/testing.h"
#include "engine/model/forward_testing.h"
#include "engine/model/tiny_model.h"

namespace smallmind {
namespace {

constexpr size_t kContext = 1200;

struct WindowCase {
  std::string name;
  TinyShape shape;
};
void PrintTo(const WindowCase& value, std::ostream* out) { *out << value.name; }

std::vector<WindowCase> WindowCases() {
  TinyShape phi3{.arch = "phi3", .dim = 64, .heads = 2, .kv_heads = 1, .head = 32, .fused = true};
  phi3.context = 4096;
  phi3.keys = {{"attention.sliding_window", uint32_t{100}}};
  TinyShape gemma2{.arch = "gemma2",
                   .dim = 32,
                   .layers = 3,
                   .heads = 2,
                   .kv_heads = 2,
                   .head = 32,
                   .context = 4096,
                   .tied = true,
                   .post_norm = true};
  gemma2.keys = {{"attention.sliding_window", uint32_t{300}}};
  TinyShape gemma3{.arch = "gemma3",
                   .dim = 32,
                   .layers = 4,
                   .heads = 4,
                   .kv_heads = 1,
                   .head = 32,
                   .context = 4096,
                   .tied = true,
                   .qk_norm = true,
                   .post_norm = true};
  gemma3.keys = {{"attention.sliding_window", uint32_t{40}},
                 {"attention.sliding_window_pattern", uint32_t{3}}};
  return {{"phi3", phi3}, {"gemma2", gemma2}, {"gemma3", gemma3}};
}

std::vector<int32_t> Tokens(size_t n) {
  std::vector<int32_t> tokens;
  for (size_t i = 0; i < n; ++i) tokens.push_back(static_cast<int32_t>((i * i * 3 + i / 7) % 70));
  return tokens;
}

class WindowRing : public testing::TestWithParam<WindowCase> {
 protected:
  Model Load() const {
    const auto path = TestTempDir() / ("window_ring_" + GetParam().name + ".gguf");
    TinyModel::Write(GetParam().shape, path);
    Model model = Model::Load(path, kContext);
    std::filesystem::remove(path);
    return model;
  }
};

TEST_P(WindowRing, SameBitsAsTheWholeCache) {
  const Model model = Load();
  const std::vector<int32_t> tokens = Tokens(kContext);
  const bool brief = FormOfTests() == TestForm::kShort;
  for (const DType kv : {DType::kF32, DType::kF16, DType::kQ8_0}) {
    std::vector<size_t> batches = {1, 7, 64, 256};
    if (brief) batches = kv == DType::kF32 ? std::vector<size_t>{7, 256} : std::vector<size_t>{7};
    const std::vector<float> whole = Logits(model, tokens, {.threads = 1, .batch = 256, .kv = kv});
    for (const size_t batch : batches) {
      const KvCache cache(Executor::CacheShape(model.spec, kv, kContext, batch));
      ASSERT_GT(cache.ring(0), 0u);
      ASSERT_LT(cache.ring(0), kContext);
      for (const size_t threads : {1, 2, 3, 4}) {
        if ((brief || kv != DType::kF32) && threads != 1 + batch % 4) continue;
        RunOptions run{.threads = threads, .batch = batch, .kv = kv, .cache_batch = batch};
        if (threads > 1 && batch <= 7) {  // mostly barriers: the last tokens alone
          run.prefix = kContext - 60;
          run.cache_batch = 64;
        }
        EXPECT_TRUE(SameBits(whole, Logits(model, tokens, run)))
            << Info(kv).name << " batch " << batch << " threads " << threads;
      }
    }
  }
}

// Back to an earlier position that the ring still holds, further than it holds, and to the start.
TEST_P(WindowRing, GoingBackIsRightOrAnError) {
  const Model model = Load();
  const std::vector<int32_t> tokens = Tokens(kContext);
  Executor executor(model, 1);
  KvCache whole(Executor::CacheShape(model.spec, DType::kF32, kContext));
  KvCache ring(Executor::CacheShape(model.spec, DType::kF32, kContext, 32));
  const auto append = [&](KvCache* cache, size_t begin, size_t n) {
    std::vector<float> last;
    executor.Append(
        *cache, std::span(tokens).subspan(begin, n), 32, false,
        [&](std::span<const float> logits) { last.assign(logits.begin(), logits.end()); });
    return last;
  };
  EXPECT_TRUE(SameBits(append(&whole, 0, 1100), append(&ring, 0, 1100)));
  whole.set_length(1090);
  ring.set_length(1090);
  EXPECT_TRUE(SameBits(append(&whole, 5, 60), append(&ring, 5, 60)));
  ring.set_length(20);
  EXPECT_THROW(append(&ring, 0, 5), InputError);
  ring.set_length(0);
  whole.set_length(0);
  EXPECT_TRUE(SameBits(append(&whole, 9, 700), append(&ring, 9, 700)));
}

INSTANTIATE_TEST_SUITE_P(All, WindowRing, testing::ValuesIn(WindowCases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace smallmind
