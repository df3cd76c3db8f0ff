// Float matrix products: every element is the oracle's dot product to the bit, whatever the tile,
// the number of tokens, the row range or the target; and close to double.
#include "engine/kernels/matmul_float.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "engine/base/testing.h"
#include "engine/kernels/float_oracle.h"
#include "engine/kernels/guarded_testing.h"
#include "engine/kernels/matmul.h"
#include "engine/kernels/targets_testing.h"
#include "engine/tensor/decode.h"

namespace smallmind {
namespace {

struct Weights {
  std::unique_ptr<GuardedBytes> bytes;
  std::vector<float> wide;  // the same values as float32
  WeightView view;
};

Weights MakeWeights(DType type, size_t rows, size_t cols, unsigned seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal(0.0f, 0.5f);
  Weights w;
  const size_t row_bytes = RowBytes(type, cols);
  w.bytes = std::make_unique<GuardedBytes>(rows * row_bytes,
                                           seed % 2 == 0 ? Against::kStart : Against::kEnd);
  uint8_t* const bytes = w.bytes->data();
  w.wide.resize(rows * cols);
  for (size_t i = 0; i < rows * cols; ++i) {
    const float value = normal(rng);
    if (type == DType::kF32) {
      std::memcpy(bytes + 4 * i, &value, 4);
      w.wide[i] = value;
    } else {
      const uint16_t bits = type == DType::kF16 ? F32ToF16(value) : F32ToBF16(value);
      std::memcpy(bytes + 2 * i, &bits, 2);
      w.wide[i] = type == DType::kF16 ? F16ToF32(bits) : BF16ToF32(bits);
    }
  }
  w.view = {type, bytes, rows, cols, row_bytes};
  return w;
}

float OracleDot(DType type, const float* w, const float* x, size_t n) {
  return type == DType::kBF16 ? oracle::DotBf16(w, x, n) : oracle::Dot(w, x, n);
}

// 64-byte aligned, and no larger than promised.
std::span<uint8_t> Scratch(size_t cols, std::vector<uint8_t>* store) {
  const size_t bytes = MatMulScratchBytes(cols);
  store->resize(bytes + 64);
  return {store->data() + (64 - reinterpret_cast<uintptr_t>(store->data()) % 64) % 64, bytes};
}

constexpr DType kFloatTypes[] = {DType::kF32, DType::kF16, DType::kBF16};

// Rows, and whatever forms of them the present target reads for weights of a type: row 0 as token
// `tiles_first` of its tile.
struct Acts {
  FloatRows rows;
  std::vector<uint16_t> rounded;
  std::vector<float> tiles;

  Acts(DType type, const std::vector<float>& x, size_t tokens, size_t cols, size_t stride,
       size_t tiles_first) {
    rows = {.data = x.data(), .n_tokens = tokens, .cols = cols, .stride = stride};
    const bool bf16 = type == DType::kBF16;
    if (bf16) {
      rounded.resize(tokens * Bf16Cols(cols));
      for (size_t t = 0; t < tokens; ++t) {
        RoundRowToBf16(rows.Row(t), cols, &rounded[t * Bf16Cols(cols)]);
      }
      rows.bf16 = rounded.data();
      rows.bf16_stride = Bf16Cols(cols);
    }
    const size_t abreast = FloatTileTokens();
    if (abreast == 0) return;
    rows.tiles_first = tiles_first % abreast;
    const size_t floats = FloatTileFloats(cols);
    // What is not written must not show.
    tiles.assign((rows.tiles_first + tokens + abreast - 1) / abreast * floats, NAN);
    rows.tiles = tiles.data();
    for (size_t t = 0; t < tokens; ++t) {
      const size_t at = rows.tiles_first + t;
      PackFloatTile(rows.Row(t), 0, cols, cols,
                    bf16 ? TileValues::kRoundedToBf16 : TileValues::kFloats, at % abreast,
                    tiles.data() + at / abreast * floats);
    }
  }
};

void CheckShape(DType type, size_t rows, size_t cols, size_t tokens) {
  SCOPED_TRACE(testing::Message() << Info(type).name << " " << rows << "x" << cols << " tokens "
                                  << tokens);
  const Weights w = MakeWeights(type, rows, cols, static_cast<unsigned>(rows + cols));
  const size_t stride = cols + 3, out_stride = rows + 1;
  const std::vector<float> x = RandomFloats(tokens * stride, 9);
  std::vector<float> want(tokens * rows), bound(tokens * rows);
  for (size_t t = 0; t < tokens; ++t) {
    for (size_t r = 0; r < rows; ++r) {
      want[t * rows + r] = OracleDot(type, &w.wide[r * cols], &x[t * stride], cols);
      for (size_t k = 0; k < cols; ++k) {
        bound[t * rows + r] += 1e-6f * std::abs(w.wide[r * cols + k] * x[t * stride + k]);
      }
    }
  }
  std::vector<uint8_t> store;
  const std::span<uint8_t> scratch = Scratch(cols, &store);
  const auto check = [&](const std::string& target, FloatCpu cpu) {
    const Acts acts(type, x, tokens, cols, stride, rows + tokens);
    const FloatRows& in = acts.rows;
    std::vector<float> out(tokens * out_stride, -7.0f);
    const size_t cut = rows / 3;  // a row range must not matter, nor touch its neighbours
    MatMul({w.view, 0, cut, in, out.data(), out_stride, scratch, nullptr, cpu});
    ASSERT_EQ(out[cut], -7.0f);
    MatMul({w.view, cut, rows, in, out.data() + cut, out_stride, scratch, nullptr, cpu});
    for (size_t t = 0; t < tokens; ++t) {
      ASSERT_EQ(out[t * out_stride + rows], -7.0f);
      for (size_t r = 0; r < rows; ++r) {
        const float expected = want[t * rows + r], got = out[t * out_stride + r];
        if (TargetHasFma(target)) {
          ASSERT_EQ(std::bit_cast<uint32_t>(expected), std::bit_cast<uint32_t>(got))
              << target << " row " << r << " token " << t << " " << expected << " " << got;
        } else {
          ASSERT_NEAR(expected, got, bound[t * rows + r]) << target << " row " << r;
        }
      }
    }
  };
  ForEachTarget([&](const std::string& target) {
    check(target, {});
    if (tokens == 1) check(target, {.reads_parts = true});
    if (tokens > 1 && type == DType::kF16) check(target, {.widens_in_tile = true});
  });
}

TEST(MatMulFloat, EqualsTheOracleForManyShapes) {
  for (const DType type : kFloatTypes) {
    for (const size_t cols : {1, 8, 15, 16, 17, 31, 32, 33, 63, 100, 576}) {
      for (const size_t rows : {1, 3, 4, 10, 37}) {
        for (const size_t tokens : {1, 2, 5, 8}) CheckShape(type, rows, cols, tokens);
      }
    }
  }
}

TEST(MatMulFloat, TokenBlocksDoNotShow) {
  // More than a block of tokens; several panels of wide rows.
  for (const DType type : kFloatTypes) {
    CheckShape(type, 5, 64, 203);
    CheckShape(type, 150, 6016, 13);
    // Widened panels: columns beyond whole steps, in one cut and in several; fewer rows than 32.
    CheckShape(type, 10, 33, 13);
    CheckShape(type, 6, 100, 25);
    CheckShape(type, 37, 11017, 13);
  }
}

TEST(MatMulFloat, IsCloseToDouble) {
  const size_t cols = 2048;
  const Weights w = MakeWeights(DType::kF32, 64, cols, 4);
  const std::vector<float> x = RandomFloats(cols, 5);
  std::vector<float> out(64);
  std::vector<uint8_t> store;
  MatMul(w.view, 0, 64, {x.data(), 1, cols, cols}, out.data(), 64, Scratch(cols, &store));
  double error = 0.0, power = 0.0;
  for (size_t r = 0; r < 64; ++r) {
    double exact = 0.0;
    for (size_t k = 0; k < cols; ++k) exact += static_cast<double>(w.wide[r * cols + k]) * x[k];
    error += (exact - out[r]) * (exact - out[r]);
    power += exact * exact;
  }
  EXPECT_LT(error / power, 1e-13);
}

}  // namespace
}  // namespace smallmind
