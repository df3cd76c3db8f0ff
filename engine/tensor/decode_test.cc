#include "engine/tensor/decode.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/testing.h"

namespace smallmind {
namespace {

// Distance in units of the last place; equal bits (also −0 and +0) are 0.
int64_t Ulps(float a, float b) {
  const auto key = [](float x) {
    const auto bits = static_cast<int64_t>(std::bit_cast<uint32_t>(x));
    return bits < 0x80000000 ? bits : 0x80000000 - bits;
  };
  return std::abs(key(a) - key(b));
}

// 8 rows × 256 columns of every type, as bytes and as what they decode to.
TEST(Decode, MatchesReferenceBytes) {
  constexpr size_t kRows = 8, kCols = 256;
  int types = 0;
  for (const DTypeInfo& info : AllDTypes()) {
    if (info.type == DType::kF32) continue;
    const auto dir = TestdataDir() / "blocks";
    const auto bytes = ReadAll<std::vector<uint8_t>>(dir / (std::string(info.name) + ".bin"));
    const auto expected_bytes =
        ReadAll<std::vector<uint8_t>>(dir / (std::string(info.name) + ".f32"));
    const size_t row_bytes = RowBytes(info.type, kCols);
    ASSERT_EQ(bytes.size(), kRows * row_bytes) << info.name;
    ASSERT_EQ(expected_bytes.size(), kRows * kCols * 4) << info.name;
    std::vector<float> expected(kRows * kCols), row(kCols);
    DecodeScalar(DType::kF32, expected_bytes.data(), kRows * kCols, expected.data());
    for (size_t r = 0; r < kRows; ++r) {
      DecodeScalar(info.type, bytes.data() + r * row_bytes, kCols, row.data());
      for (size_t c = 0; c < kCols; ++c) {
        ASSERT_LE(Ulps(row[c], expected[r * kCols + c]), 1)
            << info.name << " row " << r << " column " << c << ": " << row[c] << " for "
            << expected[r * kCols + c];
      }
    }
    ++types;
  }
  EXPECT_EQ(types, 14);
}

// Every f16 survives a round trip; every float between two f16 goes to the nearer one, ties to
// even.
TEST(Decode, F16RoundsToNearestEven) {
  for (uint32_t h = 0; h < 0x7c00; ++h) {
    const float low = F16ToF32(static_cast<uint16_t>(h));
    ASSERT_EQ(F32ToF16(low), h);
    ASSERT_EQ(F32ToF16(-low), h | 0x8000u);
    const float high = h + 1 == 0x7c00 ? 65536.0f : F16ToF32(static_cast<uint16_t>(h + 1));
    const float middle = (low + high) * 0.5f;  // exact
    ASSERT_EQ(F32ToF16(middle), h & 1 ? h + 1 : h) << h;
    ASSERT_EQ(F32ToF16(std::nextafter(middle, low)), h) << h;
    ASSERT_EQ(F32ToF16(std::nextafter(middle, high)), h + 1) << h;
  }
  constexpr float kInf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(F32ToF16(kInf), 0x7c00);
  EXPECT_EQ(F32ToF16(-kInf), 0xfc00);
  EXPECT_EQ(F32ToF16(1e30f), 0x7c00);
  EXPECT_TRUE(std::isnan(F16ToF32(F32ToF16(std::nanf("")))));
  EXPECT_EQ(F16ToF32(0x7c00), kInf);
}

TEST(Decode, Bf16RoundsToNearestEven) {
  for (uint32_t h = 0; h < 0x7f80; ++h) {
    const float low = BF16ToF32(static_cast<uint16_t>(h));
    ASSERT_EQ(F32ToBF16(low), h);
    const auto middle = std::bit_cast<float>((h << 16) | 0x8000u);
    ASSERT_EQ(F32ToBF16(middle), h & 1 ? h + 1 : h);
    ASSERT_EQ(F32ToBF16(std::bit_cast<float>((h << 16) | 0x7fffu)), h);
    ASSERT_EQ(F32ToBF16(std::bit_cast<float>((h << 16) | 0x8001u)), h + 1);
  }
  EXPECT_TRUE(std::isnan(BF16ToF32(F32ToBF16(std::nanf("")))));
  // A NaN whose payload sits in the low half must not become infinity.
  EXPECT_TRUE(std::isnan(BF16ToF32(F32ToBF16(std::bit_cast<float>(0x7f800001u)))));
}

TEST(DType, FindsByIdAndName) {
  ASSERT_NE(FindDType("q4_k"), nullptr);
  EXPECT_EQ(FindDType("q4_k")->type, DType::kQ4_K);
  EXPECT_EQ(FindDType("Q4_K")->name, "Q4_K");
  EXPECT_EQ(FindDType("Q4_KM"), nullptr);
  EXPECT_EQ(FindDType(uint32_t{4}), nullptr);
  EXPECT_EQ(FindDType(uint32_t{30})->type, DType::kBF16);
  EXPECT_EQ(RowBytes(DType::kQ6_K, 512), 420u);
  EXPECT_THROW(Info(static_cast<DType>(99)), InternalError);
}

}  // namespace
}  // namespace smallmind
