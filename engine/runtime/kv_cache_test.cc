// Sizes of whole and ringed caches, where positions lie, and what a pass may still see.

#include "engine/runtime/kv_cache.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"

namespace smallmind {
namespace {

// The shape of a gemma2 of 2.6 billion parameters: every second layer sees a window.
KvShape Gemma2Like(size_t context, size_t batch) {
  KvShape shape{.type = DType::kF16,
                .n_layers = 26,
                .n_kv_heads = 4,
                .head_dim_k = 256,
                .head_dim_v = 256,
                .context = context,
                .window = 4096,
                .batch = batch};
  for (size_t layer = 0; layer < shape.n_layers; ++layer) {
    shape.layer_windowed.push_back(layer % 2 == 0);
  }
  return shape;
}

constexpr size_t kGemma2Position = 4 * (256 + 256) * 2;  // bytes a layer

TEST(KvCache, WindowedLayersKeepAWindowAndABatch) {
  // 4096 - 1 + 512 positions touch at most 19 blocks.
  KvCache cache(Gemma2Like(8192, 512));
  EXPECT_EQ(cache.ring(0), 19u * 256);
  EXPECT_EQ(cache.ring(1), 0u);
  EXPECT_EQ(cache.bytes(), 13 * kGemma2Position * (8192 + 19 * 256));
  // A span of 4097 positions touches 18 blocks where it begins with a block's last position.
  EXPECT_EQ(KvCache(Gemma2Like(8192, 2)).ring(0), 17u * 256);
  EXPECT_EQ(KvCache(Gemma2Like(8192, 3)).ring(0), 18u * 256);
}

TEST(KvCache, NeverMoreThanTheContext) {
  for (const size_t context : {1, 100, 4096, 4300, 4608}) {
    KvCache cache(Gemma2Like(context, 512));
    EXPECT_EQ(cache.ring(0), 0u) << context;
    EXPECT_EQ(cache.bytes(), 26 * kGemma2Position * context) << context;
  }
  EXPECT_EQ(KvCache(Gemma2Like(8192, SIZE_MAX)).ring(0), 0u);  // a pass of any length
  KvShape no_window = Gemma2Like(8192, 1);
  no_window.window = 0;
  EXPECT_EQ(KvCache(no_window).bytes(), 26 * kGemma2Position * 8192);
}

TEST(KvCache, HeadsAndPositionsDoNotOverlap) {
  KvShape shape{.type = DType::kF16,
                .n_layers = 3,
                .n_kv_heads = 2,
                .head_dim_k = 8,
                .head_dim_v = 4,
                .context = 1000,
                .window = 10,
                .layer_windowed = {true, false, true},
                .batch = 4};
  KvCache cache(shape);
  ASSERT_EQ(cache.ring(0), 512u);
  std::vector<int> owners(cache.bytes(), 0);
  for (size_t layer = 0; layer < 3; ++layer) {
    const size_t kept = layer == 1 ? 1000 : 512;
    for (size_t head = 0; head < 2; ++head) {
      for (size_t pos = 1000 - kept; pos < 1000; ++pos) {
        for (size_t i = 0; i < 16; ++i) ++owners[cache.KeyAt(layer, head, pos) - cache.K(0, 0) + i];
        for (size_t i = 0; i < 8; ++i)
          ++owners[cache.ValueAt(layer, head, pos) - cache.K(0, 0) + i];
      }
    }
  }
  for (const int count : owners) ASSERT_LE(count, 1);
  EXPECT_EQ(cache.KeyAt(2, 1, 700), cache.K(2, 1) + (700 - 512) * 16);
}

TEST(KvCache, GoesBackAsFarAsTheRingReaches) {
  KvShape shape{.n_layers = 1,
                .n_kv_heads = 1,
                .head_dim_k = 4,
                .head_dim_v = 4,
                .context = 5000,
                .window = 300,
                .layer_windowed = {true},
                .batch = 64};
  KvCache cache(shape);
  ASSERT_EQ(cache.ring(0), 3u * 256);
  for (size_t at = 0; at < 1280; at += 64) ASSERT_NO_THROW(cache.Claim(at, at + 64)) << at;
  EXPECT_THROW(cache.Claim(1280, 1280 + 65), InputError);  // more than the batch
  // Blocks 2, 3 and 4 are kept: what position 811 sees begins with 512.
  EXPECT_NO_THROW(cache.Claim(811, 812));
  EXPECT_THROW(cache.Claim(810, 811), InputError);
  EXPECT_THROW(cache.Claim(100, 101), InputError);
  // A pass that cannot be leaves everything as it was.
  EXPECT_NO_THROW(cache.Claim(811, 875));
  EXPECT_NO_THROW(cache.Claim(1280, 1344));
  // Block 5 has begun and taken the place of block 2.
  EXPECT_THROW(cache.Claim(811, 812), InputError);
  // Position 0 begins anew, and what follows it.
  EXPECT_NO_THROW(cache.Claim(0, 64));
  EXPECT_NO_THROW(cache.Claim(64, 128));
  EXPECT_NO_THROW(cache.Claim(10, 11));
}

TEST(KvCache, SizesThatCannotBeAreErrors) {
  KvShape shape{.n_layers = 1024, .n_kv_heads = 4096, .head_dim_k = 65536, .head_dim_v = 65536};
  // Products that pass 64 bits, one of them to exactly 0.
  for (const size_t context : {size_t{1} << 40, size_t{1} << 46, SIZE_MAX}) {
    shape.context = context;
    EXPECT_THROW(KvCache{shape}, InputError) << context;
  }
  EXPECT_THROW(KvCache({.type = DType::kQ8_0, .head_dim_k = 40, .head_dim_v = 64, .context = 1}),
               InputError);
}

}  // namespace
}  // namespace smallmind
