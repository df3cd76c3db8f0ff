#include "engine/tensor/packed.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace smallmind {
namespace {

struct Packed {
  std::vector<uint8_t> stored, bytes;
  WeightView from, view;
};

Packed Pack(DType type, size_t rows, size_t cols) {
  Packed p;
  const size_t row_bytes = RowBytes(type, cols);
  p.stored.resize(rows * row_bytes);
  p.bytes.resize(rows * row_bytes);
  std::mt19937 rng(3);
  for (uint8_t& byte : p.stored) byte = static_cast<uint8_t>(rng());
  p.from = {type, p.stored.data(), rows, cols, row_bytes};
  for (size_t r = 0; r < rows; r += kPackedRows)
    PackGroup(p.from, r, p.bytes.data() + r * row_bytes);
  p.view = {type, p.bytes.data(), rows, cols, row_bytes, true};
  return p;
}

// Ten blocks: a chunk and a rest where chunks are of eight.
TEST(Packed, EveryByteComesBack) {
  for (const DType type : kPackedTypes) {
    const size_t cols = 10 * Info(type).block_elems;
    const Packed p = Pack(type, 32, cols);
    for (size_t r = 0; r < 32; ++r) {
      std::vector<uint8_t> row(p.from.row_bytes);
      for (size_t c = 0; c < cols; c += 256) {
        UnpackColumns(p.view, r, c, std::min<size_t>(256, cols - c),
                      row.data() + RowBytes(type, c));
      }
      EXPECT_EQ(std::memcmp(row.data(), p.from.Row(r), row.size()), 0)
          << Info(type).name << " row " << r;
    }
  }
}

// The layout as the header says it: Q8_0's quants 4k … 4k + 3 of block b, of nine.
TEST(Packed, DwordsOfSixteenRowsLieTogether) {
  const Packed p = Pack(DType::kQ8_0, 16, 9 * 32);
  const auto same = [&](size_t row, size_t stored, size_t packed, size_t bytes) {
    return std::memcmp(p.from.Row(row) + stored, p.bytes.data() + packed, bytes) == 0;
  };
  for (size_t r = 0; r < 16; ++r) {
    for (size_t b = 0; b < 8; ++b) {
      EXPECT_TRUE(same(r, 34 * b, 32 * b + 2 * r, 2)) << r << " " << b;
      for (size_t k = 0; k < 8; ++k) {
        EXPECT_TRUE(same(r, 34 * b + 2 + 4 * k, 256 + 512 * b + 64 * k + 4 * r, 4))
            << r << " " << b;
      }
    }
    EXPECT_TRUE(same(r, 34 * 8, 8 * 544 + 2 * r, 2)) << r;
    EXPECT_TRUE(same(r, 34 * 8 + 2, 8 * 544 + 32 + 4 * r, 4)) << r;
  }
}

TEST(Packed, OnlyWholeGroupsOfSomeTypes) {
  EXPECT_TRUE(CanPack({DType::kQ4_0, nullptr, 32, 64, 36}));
  EXPECT_FALSE(CanPack({DType::kQ4_0, nullptr, 31, 64, 36}));
  EXPECT_FALSE(CanPack({DType::kQ4_0, nullptr, 0, 64, 36}));
  EXPECT_FALSE(CanPack({DType::kF16, nullptr, 32, 64, 128}));
}

}  // namespace
}  // namespace smallmind
