#include "engine/kernels/matmul_quant.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "engine/base/testing.h"
#include "engine/kernels/acts.h"
#include "engine/kernels/guarded_testing.h"
#include "engine/kernels/matmul.h"
#include "engine/kernels/matmul_oracle.h"
#include "engine/kernels/targets.h"
#include "engine/kernels/targets_testing.h"
#include "engine/tensor/packed.h"

namespace smallmind {
namespace {

constexpr DType kQuantTypes[] = {DType::kQ8_0, DType::kQ4_0,   DType::kQ4_1, DType::kQ5_0,
                                 DType::kQ5_1, DType::kIQ4_NL, DType::kQ4_K, DType::kQ5_K,
                                 DType::kQ6_K, DType::kIQ4_XS, DType::kQ2_K, DType::kQ3_K};

// 64-byte aligned bytes.
class Bytes {
 public:
  explicit Bytes(size_t size) : store_(size + 64), size_(size) {}
  uint8_t* data() {
    return store_.data() + (64 - reinterpret_cast<uintptr_t>(store_.data()) % 64) % 64;
  }
  std::span<uint8_t> span() { return {data(), size_}; }

 private:
  std::vector<uint8_t> store_;
  size_t size_;
};

// Where a block's first f16 scale is.
size_t ScaleOffset(DType type) {
  switch (type) {
    case DType::kQ2_K:
      return offsetof(BlockQ2_K, d);
    case DType::kQ3_K:
      return offsetof(BlockQ3_K, d);
    case DType::kQ6_K:
      return offsetof(BlockQ6_K, d);
    default:
      return 0;
  }
}

bool HasSecondScale(DType type) {  // right behind the first: a minimum's
  return type == DType::kQ4_1 || type == DType::kQ5_1 || type == DType::kQ2_K ||
         type == DType::kQ4_K || type == DType::kQ5_K;
}

// Every bit pattern is a valid block but for the f16 fields, which become numbers of moderate size.
void FillWeights(DType type, size_t rows, size_t cols, uint8_t* to, std::mt19937& rng) {
  const DTypeInfo& info = Info(type);
  const size_t blocks = rows * cols / info.block_elems;
  for (size_t i = 0; i < blocks * info.block_bytes; ++i) to[i] = static_cast<uint8_t>(rng());
  std::uniform_real_distribution<float> scale(-0.1f, 0.1f);
  const auto put = [&](size_t block, size_t at) {
    const uint16_t half = F32ToF16(scale(rng));
    std::memcpy(to + block * info.block_bytes + at, &half, 2);
  };
  for (size_t b = 0; b < blocks; ++b) {
    put(b, ScaleOffset(type));
    if (HasSecondScale(type)) put(b, ScaleOffset(type) + 2);
  }
}

// All quants of a row at their largest magnitude, scales as they are: the integer sums nearest to
// what they must not exceed.
void FillLargest(DType type, size_t cols, uint8_t* row) {
  const DTypeInfo& info = Info(type);
  const size_t scale = ScaleOffset(type), scale_bytes = HasSecondScale(type) ? 4 : 2;
  for (size_t b = 0; b < cols / info.block_elems; ++b) {
    for (size_t i = 0; i < info.block_bytes; ++i) {
      if (i < scale || i >= scale + scale_bytes) row[b * info.block_bytes + i] = 0xff;
    }
    if (type != DType::kQ8_0) continue;
    for (size_t i = 2; i < info.block_bytes; ++i) row[b * info.block_bytes + i] = 0x80;  // −128
  }
}

struct Case {
  DType type;
  size_t rows, cols, tokens;
  Against against = Against::kEnd;  // beside which forbidden page the weights lie
  bool packed = false;
};

// Runs one product, split at `cut`, and compares every element with the oracle. Of rows 1, 4, 7, …
// every byte but those of scales is the largest.
void Check(const Case& c, size_t cut, const std::string& target, std::mt19937& rng) {
  const size_t row_bytes = RowBytes(c.type, c.cols);
  GuardedBytes weights(c.rows * row_bytes, c.against);
  FillWeights(c.type, c.rows, c.cols, weights.data(), rng);
  for (size_t r = 1; r < c.rows; r += 3)
    FillLargest(c.type, c.cols, weights.data() + r * row_bytes);
  const WeightView view{c.type, weights.data(), c.rows, c.cols, row_bytes};
  GuardedBytes packed(c.rows * row_bytes, c.against);
  WeightView used = view;
  if (c.packed) {
    for (size_t r = 0; r < c.rows; r += kPackedRows)
      PackGroup(view, r, packed.data() + r * row_bytes);
    used.data = packed.data();
    used.packed = true;
  }

  const size_t stride = QuantRowStride(c.cols);
  Bytes acts(stride * c.tokens);
  std::normal_distribution<float> normal;
  std::vector<float> x(c.cols);
  for (size_t t = 0; t < c.tokens; ++t) {
    for (float& v : x) v = normal(rng);
    if (t % 3 == 1) std::fill(x.begin(), x.end(), 1.0f);  // extremes: every q is 127
    if (t % 5 == 2) std::fill(x.begin(), x.end(), -1.0f);
    QuantizeRow(x.data(), c.cols, acts.data() + t * stride);
  }
  const QuantRows rows{acts.data(), c.tokens, c.cols, stride};

  Bytes scratch(MatMulScratchBytes(c.cols));
  const size_t out_stride = c.rows + 3;
  constexpr float kUntouched = 12345.0f;
  std::vector<float> out(c.tokens * out_stride, kUntouched);
  MatMul(used, 0, cut, rows, out.data(), out_stride, scratch.span());
  MatMul(used, cut, c.rows, rows, out.data() + cut, out_stride, scratch.span());

  const bool exact = TargetHasFma(target);
  for (size_t t = 0; t < c.tokens; ++t) {
    for (size_t r = 0; r < c.rows; ++r) {
      const float expected = OracleDot(c.type, view.Row(r), c.cols, rows.Row(t));
      const float got = out[t * out_stride + r];
      if (exact) {
        ASSERT_EQ(std::bit_cast<uint32_t>(got), std::bit_cast<uint32_t>(expected))
            << Info(c.type).name << " " << target << " rows " << c.rows << " cols " << c.cols
            << " tokens " << c.tokens << " at row " << r << " token " << t << ": " << got << " for "
            << expected;
      } else {
        // Two roundings a step instead of one: of the size of the terms, not of the result.
        ASSERT_NEAR(got, expected, 1e-5f * static_cast<float>(c.cols) * 16.0f) << Info(c.type).name;
      }
    }
    for (size_t r = c.rows; r < out_stride; ++r) ASSERT_EQ(out[t * out_stride + r], kUntouched);
  }
}

// The oracle's integers and factors are the weights that tensor/decode.h gives, to the bit.
TEST(MatMulOracle, DecodesAsTheReference) {
  std::mt19937 rng(10);
  constexpr size_t kCols = 256 * 4;
  for (const DType type : kQuantTypes) {
    std::vector<uint8_t> row(RowBytes(type, kCols));
    FillWeights(type, 1, kCols, row.data(), rng);
    std::vector<float> expected(kCols);
    DecodeScalar(type, row.data(), kCols, expected.data());
    for (size_t c = 0; c < kCols; ++c) {
      const OracleBlock block = DecodeOracleBlock(type, row.data(), c / 32);
      const size_t half = c % 32 / 16;
      const float offset =
          block.has_min ? block.min * static_cast<float>(block.min_factor[half]) : 0.0f;
      const float value =
          block.scale[block.two_scales ? half : 0] * static_cast<float>(block.q[c % 32]);
      ASSERT_EQ(value - offset, expected[c]) << Info(type).name << " column " << c;
    }
  }
}

// Groups of one block a row, and less than a group, beside pages that must not be touched.
TEST(MatMulQuant, ReadsNothingOutsideOfAMatrix) {
  ForEachTarget([](const std::string& target) {
    std::mt19937 rng(15);
    for (const DType type : kQuantTypes) {
      for (const size_t rows : {1, 4, 8, 16, 17}) {
        for (const size_t tokens : {1, 2, 3, 4, 17}) {
          for (const Against against : {Against::kStart, Against::kEnd}) {
            Check({type, rows, Info(type).block_elems, tokens, against}, 0, target, rng);
          }
        }
      }
    }
  });
}

TEST(MatMulQuant, EqualsTheOracleOnEveryTarget) {
  ForEachTarget([](const std::string& target) {
    std::mt19937 rng(11);
    for (const DType type : kQuantTypes) {
      const size_t unit = Info(type).block_elems;
      for (size_t tokens = 1; tokens <= 20; ++tokens) {
        const size_t rows = 1 + rng() % 70, cols = unit * (1 + rng() % (unit == 32 ? 19 : 4));
        Check({type, rows, cols, tokens}, rng() % (rows + 1), target, rng);
      }
    }
  });
}

// Whole tiles of 12 and several panels; the row count leaves a tail.
TEST(MatMulQuant, EqualsTheOracleWherePanelsAreMany) {
  ForEachTarget([](const std::string& target) {
    std::mt19937 rng(12);
    for (const DType type : kQuantTypes) Check({type, 16 * 40 + 5, 1024, 29}, 16 * 24, target, rng);
  });
}

// A few tokens: panels in cuts of 16 blocks, the last one longer; one or two groups, and a tail.
TEST(MatMulQuant, EqualsTheOracleWherePanelsAreCut) {
  ForEachTarget([](const std::string& target) {
    std::mt19937 rng(14);
    for (const DType type : kQuantTypes) {
      const size_t cols = Info(type).block_elems == 32 ? 32 * 37 : 256 * 5;
      for (const size_t tokens : {4, 5, 9, 11, 12, 16}) {
        Check({type, 16 * 5 + 5, cols, tokens}, 16 * 3, target, rng);
      }
    }
  });
}

// Whole groups; one to many panels, cuts of columns, a rest of blocks, beside forbidden pages.
TEST(MatMulQuant, PackedMatricesEqualTheOracle) {
  ForEachTarget([](const std::string& target) {
    std::mt19937 rng(16);
    std::vector<size_t> counts(20);
    std::iota(counts.begin(), counts.end(), 1);
    if (FormOfTests() == TestForm::kShort) counts = {1, 2, 3, 4, 6, 17};
    for (const DType type : kPackedTypes) {
      const size_t unit = Info(type).block_elems;
      for (const size_t tokens : counts) {
        const size_t groups = 1 + rng() % 5, cols = unit * (1 + rng() % (unit == 32 ? 37 : 5));
        const Against against = tokens % 2 == 0 ? Against::kStart : Against::kEnd;
        Check({type, 16 * groups, cols, tokens, against, true}, 16 * (rng() % (groups + 1)), target,
              rng);
      }
      const size_t many = FormOfTests() == TestForm::kShort ? 16 * 12 : 16 * 40;
      Check({type, many, 1024, 29, Against::kEnd, true}, 16 * 5, target, rng);
    }
  });
}

// The one place where the kernels' arithmetic shows (order.h): the same for any number of tokens.
TEST(MatMulQuant, AnInfiniteScaleGivesNaN) {
  constexpr size_t kRows = 48, kCols = 512, kMostTokens = 16;
  const size_t stride = QuantRowStride(kCols);
  Bytes acts(stride * kMostTokens), scratch(MatMulScratchBytes(kCols));
  std::mt19937 rng(13);
  std::normal_distribution<float> normal;
  std::vector<float> x(kCols), out(kMostTokens * kRows);
  for (size_t t = 0; t < kMostTokens; ++t) {
    for (float& v : x) v = normal(rng);
    QuantizeRow(x.data(), kCols, acts.data() + t * stride);
  }
  for (const DType type : kQuantTypes) {
    const size_t row_bytes = RowBytes(type, kCols);
    std::vector<uint8_t> weights(kRows * row_bytes);
    FillWeights(type, kRows, kCols, weights.data(), rng);
    const uint16_t infinite = 0x7c00;
    std::memcpy(weights.data() + 17 * row_bytes + ScaleOffset(type), &infinite, 2);
    const WeightView view{type, weights.data(), kRows, kCols, row_bytes};
    ForEachTarget([&](const std::string& target) {
      if (!TargetHasFma(target)) return;
      for (const size_t tokens : {1, 3, 16}) {
        MatMul(view, 0, kRows, QuantRows{acts.data(), tokens, kCols, stride}, out.data(), kRows,
               scratch.span());
        for (size_t i = 0; i < tokens * kRows; ++i) {
          ASSERT_EQ(std::isnan(out[i]), i % kRows == 17)
              << Info(type).name << " " << target << " tokens " << tokens << " row " << i % kRows;
        }
      }
    });
  }
}

}  // namespace
}  // namespace smallmind
