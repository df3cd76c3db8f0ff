#include "engine/kernels/fetch_stream.h"

#include <gtest/gtest.h>

#include <vector>

namespace smallmind {
namespace {

std::vector<size_t> Lengths(FetchStream& stream, size_t piece) {
  std::vector<size_t> lengths;
  while (true) {
    const size_t bytes = stream.Take(piece).bytes;
    if (bytes == 0) return lengths;
    lengths.push_back(bytes);
  }
}

TEST(FetchStream, HandsOutEveryPartInOrder) {
  const std::vector<uint8_t> memory(100);
  const uint8_t* p = memory.data();
  FetchStream stream({p, 10}, {{p + 50, 5}, {p + 20, 7}}, 0);
  EXPECT_EQ(stream.Take(4).data, p);
  EXPECT_EQ(stream.Take(4).data, p + 4);
  EXPECT_EQ(stream.Take(4).bytes, 2u);  // pieces end with their part
  EXPECT_EQ(stream.Take(4).data, p + 50);
  EXPECT_EQ(Lengths(stream, 4), (std::vector<size_t>{1, 4, 3}));
}

TEST(FetchStream, SkipsAcrossParts) {
  const std::vector<uint8_t> memory(100);
  const uint8_t* p = memory.data();
  FetchStream stream({p, 10}, {{}, {p + 20, 7}}, 12);
  EXPECT_EQ(stream.Take(100).data, p + 22);
  EXPECT_EQ(stream.Take(100).bytes, 0u);
  FetchStream none({p, 10}, {}, 1000);
  EXPECT_EQ(none.Take(1).bytes, 0u);
}

}  // namespace
}  // namespace smallmind
