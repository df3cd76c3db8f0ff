// Forms of float activations: rounding as the format says, tiles as acts.h lays them out, against
// positions counted here; a row packed in pieces is the row packed at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "engine/kernels/acts.h"
#include "engine/kernels/targets_testing.h"
#include "engine/tensor/decode.h"

namespace smallmind {
namespace {

TEST(FloatActs, RoundsToBf16LikeTheFormat) {
  const float values[] = {0.0f,  -0.0f,      1.0f,      1.00390625f, 1.01171875f,
                          3e38f, 3.4028e38f, -INFINITY, 1e-40f,      -2.7182818f};
  const size_t n = std::size(values);
  ForEachTarget([&](const std::string& target) {
    std::vector<uint16_t> out(Bf16Cols(n), 0xAAAA);
    RoundRowToBf16(values, n, out.data());
    for (size_t i = 0; i < n; ++i) EXPECT_EQ(out[i], F32ToBF16(values[i])) << target << " " << i;
    for (size_t i = n; i < out.size(); ++i) EXPECT_EQ(out[i], 0);
    const float nan = std::bit_cast<float>(0x7F800001u);  // its payload does not fit
    RoundRowToBf16(&nan, 1, out.data());
    EXPECT_TRUE(std::isnan(BF16ToF32(out[0]))) << target;
  });
}

constexpr float kUnwritten = -77.0f;

// Where column k of a token is, in floats from the tile's begin: in BF16's tiles the odd elements
// of each 32 lie before the even ones.
size_t Place(size_t k, size_t token, size_t cols, size_t tokens, size_t lanes, TileValues values) {
  size_t at = k;
  if (values == TileValues::kRoundedToBf16) at = k / 32 * 32 + (k % 2 == 1 ? 0 : 16) + k % 32 / 2;
  const size_t step = at / 16, part = at % 16 / lanes;
  return ((part * (Bf16Cols(cols) / 16) + step) * tokens + token) * lanes + at % lanes;
}

TEST(FloatActs, PacksTilesAsLaidOut) {
  std::mt19937 rng(3);
  std::normal_distribution<float> normal;
  size_t targets = 0;
  ForEachTarget([&](const std::string& target) {
    const size_t tokens = FloatTileTokens();
    if (tokens == 0) return;
    ++targets;
    // 32-byte registers and 16-byte ones.
    const size_t lanes = target.starts_with("AVX2") ? 8 : 4;
    for (const size_t cols : {1, 16, 31, 32, 96, 100}) {
      for (const TileValues values : {TileValues::kFloats, TileValues::kRoundedToBf16}) {
        SCOPED_TRACE(testing::Message() << target << " " << cols << " columns");
        std::vector<float> x(cols);
        std::generate(x.begin(), x.end(), [&] { return normal(rng); });
        std::vector<float> tile(FloatTileFloats(cols), kUnwritten), pieces = tile, want = tile;
        const size_t token = tokens - 1;
        PackFloatTile(x.data(), 0, cols, cols, values, token, tile.data());
        for (size_t begin = 0; begin < cols; begin += 32) {
          PackFloatTile(&x[begin], begin, std::min<size_t>(32, cols - begin), cols, values, token,
                        pieces.data());
        }
        for (size_t k = 0; k < Bf16Cols(cols); ++k) {
          float value = k < cols ? x[k] : 0.0f;
          if (values == TileValues::kRoundedToBf16) value = BF16ToF32(F32ToBF16(value));
          want[Place(k, token, cols, tokens, lanes, values)] = value;
        }
        EXPECT_EQ(want, tile);
        EXPECT_EQ(want, pieces);
      }
    }
  });
  if (targets == 0) GTEST_SKIP() << "no target here reads tiles";
}

}  // namespace
}  // namespace smallmind
