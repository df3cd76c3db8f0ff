#include "engine/model/products.h"

#include <gtest/gtest.h>

#include <vector>

namespace smallmind {
namespace {

Linear Matrix(const uint8_t* data, size_t rows) {
  return {{DType::kQ8_0, data, rows, 64, 68}, nullptr};
}

TEST(Products, ChunksCoverEveryRowOnce) {
  std::vector<uint8_t> bytes(68 * 1000);
  const Linear a = Matrix(bytes.data(), 100), b = Matrix(bytes.data() + 6800, 16),
               c = Matrix(bytes.data() + 68 * 116, 333);
  const std::vector<Product> list = {{&a, nullptr, 0}, {&b, nullptr, 0}, {&c, nullptr, 0}};
  for (size_t workers : {1, 3, 4}) {
    for (size_t tokens : {1, 40}) {
      const Products products(list, tokens, workers);
      const uint8_t* expected = bytes.data();
      for (size_t i = 0; i < products.chunks(); ++i) {
        const Products::Chunk chunk = products.At(i);
        EXPECT_EQ(chunk.product->linear->weight.Row(chunk.begin), expected);
        const auto before = static_cast<size_t>(expected - bytes.data());
        EXPECT_EQ(products.Bytes(0, i), before);
        EXPECT_EQ(products.Bytes(i, products.chunks()), 68 * 449 - before);
        expected += (chunk.end - chunk.begin) * 68;
      }
      EXPECT_EQ(expected, bytes.data() + 68 * 449);
    }
  }
}

// Chunks are multiples of what both the kernel and the caller ask for, and small enough that every
// worker has several.
TEST(Products, ChunksAreEnoughForAllWorkers) {
  for (const size_t rows : {1536, 5632, 11008}) {
    for (const size_t tokens : {1, 128}) {
      const WeightView w = {DType::kQ8_0, nullptr, rows, 64, 68};
      const size_t chunk = ChunkRows(w, rows, tokens, 4, 32);
      EXPECT_EQ(chunk % 32, 0u);
      EXPECT_EQ(chunk % MatMulRowGrain(w, tokens), 0u);
      EXPECT_GE(rows / chunk, 4u * 8u) << rows;
    }
  }
}

// Gate and up of a chunk fit a quarter of a common L2, unless a tile does not; for one token they
// always do, and chunks are those of any stage.
TEST(Products, FfnChunksFitACore) {
  for (const DType type : {DType::kQ8_0, DType::kF16}) {
    const size_t row_bytes = RowBytes(type, 64);
    const Linear gate{{type, nullptr, 5632, 64, row_bytes}, nullptr};
    for (const size_t tokens : {1, 16, 512, 4096}) {
      const size_t chunk = FfnChunkRows({gate, gate}, tokens, 4);
      const size_t unit = ChunkRows(gate.weight, 0, tokens, 4, 32);
      EXPECT_EQ(chunk % unit, 0u);
      EXPECT_TRUE(chunk == unit || 2 * sizeof(float) * tokens * chunk <= 256u << 10) << tokens;
    }
    EXPECT_EQ(FfnChunkRows({gate, gate}, 1, 4), ChunkRows(gate.weight, 5632, 1, 4, 32));
  }
}

// Workers share chunks by number: a small product's are as large as its large neighbour's, so that
// the shares are alike.
TEST(Products, SharesAreAlike) {
  std::vector<uint8_t> bytes(68 * 2560);
  const Linear q = Matrix(bytes.data(), 2048), k = Matrix(bytes.data() + 68 * 2048, 256),
               v = Matrix(bytes.data() + 68 * 2304, 256);
  const std::vector<Product> list = {{&q, nullptr, 0}, {&k, nullptr, 0}, {&v, nullptr, 0}};
  ThreadTeam team(4);
  team.Run([&](Worker& w) {
    const Products products(list, 1, w.count());
    const Worker::Share share = w.ShareOf(products.chunks(), 1);
    EXPECT_NEAR(static_cast<double>(products.Bytes(share.begin, share.end)), 68.0 * 640,
                68.0 * 100);
  });
}

// What the workers plan to fetch are the rows of their shares, in the order of their loops.
TEST(Products, PlansFollowTheShares) {
  std::vector<uint8_t> bytes(68 * 256);
  const Linear a = Matrix(bytes.data(), 128), b = Matrix(bytes.data() + 68 * 128, 128);
  const std::vector<Product> list = {{&a, nullptr, 0}, {&b, nullptr, 0}};
  ThreadTeam team(4);
  std::vector<std::vector<ByteRange>> plans(4);
  team.Run([&](Worker& w) {
    FetchStream fetch(1 << 20);
    const Products products(list, 1, w.count());
    EXPECT_EQ(products.Plan(w, fetch), 0u);
    for (ByteRange piece = fetch.Wait(1 << 20); piece.bytes != 0; piece = fetch.Wait(1 << 20)) {
      plans[w.index()].push_back(piece);
    }
  });
  const uint8_t* expected = bytes.data();
  for (const std::vector<ByteRange>& plan : plans) {
    for (const ByteRange& piece : plan) {
      EXPECT_EQ(piece.data, expected);
      expected += piece.bytes;
    }
    EXPECT_EQ((expected - bytes.data()) % (64 * 68), 0);
  }
  EXPECT_EQ(expected, bytes.data() + bytes.size());
}

}  // namespace
}  // namespace smallmind
