#include "engine/model/products.h"

#include <gtest/gtest.h>

#include <vector>

namespace smallmind {
namespace {

Linear Matrix(const uint8_t* data, size_t rows) {
  return {{DType::kQ8_0, data, rows, 64, 68}, nullptr};
}

// Every row of every product once, and a chunk's bytes are its rows'.
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
        const ByteRange range = products.Bytes(i, i + 1);
        EXPECT_EQ(range.data, expected);
        EXPECT_EQ(range.bytes, (chunk.end - chunk.begin) * 68);
        EXPECT_EQ(chunk.product->linear->weight.Row(chunk.begin), expected);
        expected += range.bytes;
      }
      EXPECT_EQ(expected, bytes.data() + 68 * 449);
    }
  }
}

// The shares that workers fetch ahead are the rows that the loop gives them first.
TEST(Products, StartIsTheFirstChunkOfTheShare) {
  std::vector<uint8_t> bytes(68 * 256);
  const Linear a = Matrix(bytes.data(), 256);
  const std::vector<Product> list = {{&a, nullptr, 0}};
  ThreadTeam team(4);
  std::vector<const uint8_t*> fetched(4), first(4, nullptr);
  team.Run([&](Worker& w) {
    const Products products(list, 1, w.count());
    fetched[w.index()] = products.Start(w).data;
    const Worker::Share share = w.ShareOf(products.chunks(), 1);
    w.For(products.chunks(), 1, [&](size_t chunk, size_t) {
      if (chunk != share.begin) return;
      const Products::Chunk at = products.At(chunk);
      first[w.index()] = at.product->linear->weight.Row(at.begin);
    });
    EXPECT_EQ(ShareStart(w, a.weight, ChunkRows(a.weight, 1, w.count(), 1)).data,
              fetched[w.index()]);
  });
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(fetched[i], bytes.data() + i * 64 * 68);
    if (first[i] != nullptr) {  // nobody was faster
      EXPECT_EQ(first[i], fetched[i]);
    }
  }
}

}  // namespace
}  // namespace smallmind
