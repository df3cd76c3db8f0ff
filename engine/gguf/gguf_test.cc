#include "engine/gguf/gguf.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/base/error.h"
#include "engine/base/testing.h"
#include "engine/gguf/raw_gguf.h"

namespace smallmind {
namespace {

class GgufLookups : public testing::Test {
 protected:
  const RawGguf raw_ = RawGguf(3, 1, 10)
                           .Key("u8", GgufType::kU8)
                           .U8(200)
                           .Key("i32", GgufType::kI32)
                           .Put(int32_t{-5})
                           .Key("u64", GgufType::kU64)
                           .U64(uint64_t{1} << 40)
                           .Key("f32", GgufType::kF32)
                           .F32(0.5f)
                           .Key("nan", GgufType::kF32)
                           .F32(std::nanf(""))
                           .Key("yes", GgufType::kBool)
                           .U8(1)
                           .Key("text", GgufType::kString)
                           .String("héllo")
                           .ArrayKey("floats", GgufType::kF32, 2)
                           .F32(1.5f)
                           .F32(-2.0f)
                           .ArrayKey("big", GgufType::kU64, 2)
                           .U64(7)
                           .U64(uint64_t{1} << 33)
                           .ArrayKey("words", GgufType::kString, 3)
                           .String("a")
                           .String("")
                           .String("bc")
                           .Tensor("w", {32, 2, 3}, 2, 0)
                           .Pad(32)
                           .Zeros(18 * 6);
  const GgufFile file_ = GgufFile::FromBytes(raw_.bytes(), "memory");
};

TEST_F(GgufLookups, NumbersConvertWithRangeChecks) {
  EXPECT_EQ(file_.Uint("u8"), 200u);
  EXPECT_EQ(file_.Uint("u64"), uint64_t{1} << 40);
  EXPECT_EQ(file_.Uint("none", 9), 9u);
  EXPECT_EQ(file_.Float("f32"), 0.5);
  EXPECT_EQ(file_.Float("u8"), 200.0);
  EXPECT_EQ(file_.Float("i32"), -5.0);
  EXPECT_EQ(file_.Float("none", 0.25), 0.25);
  EXPECT_TRUE(file_.Bool("yes", false));
  EXPECT_TRUE(file_.Bool("none", true));
  EXPECT_THROW(file_.Uint("i32"), InputError);     // negative
  EXPECT_THROW(file_.Uint("f32", 1), InputError);  // wrong type, even with a fallback
  EXPECT_THROW(file_.Uint("text"), InputError);
  EXPECT_THROW(file_.Uint("yes"), InputError);
  EXPECT_THROW(file_.Float("nan"), InputError);
  EXPECT_THROW(file_.Float("text"), InputError);
  EXPECT_THROW(file_.Bool("u8", false), InputError);
  EXPECT_THROW(file_.Uint("none"), InputError);
}

TEST_F(GgufLookups, ErrorsNameFileFieldFoundAndAllowed) {
  try {
    file_.Uint("text");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "'memory': key 'text': found type string, allowed an integer");
  }
}

TEST_F(GgufLookups, StringsAndArrays) {
  EXPECT_EQ(file_.String("text"), "héllo");
  EXPECT_EQ(file_.String("none", "x"), "x");
  EXPECT_THROW(file_.String("u8", "x"), InputError);
  ASSERT_NE(file_.Array("words"), nullptr);
  EXPECT_EQ(file_.Array("words")->Strings(), (std::vector<std::string_view>{"a", "", "bc"}));
  EXPECT_EQ(file_.Array("floats")->count, 2u);
  EXPECT_EQ(file_.Array("none"), nullptr);
  EXPECT_THROW(file_.Array("text"), InputError);
  EXPECT_THROW(file_.Array("words")->Ints(), InputError);
  EXPECT_THROW(file_.Array("floats")->Ints(), InputError);
  EXPECT_THROW(file_.Array("floats")->Strings(), InputError);
  EXPECT_THROW(file_.Array("big")->Ints(), InputError);  // 2^33
}

TEST_F(GgufLookups, TensorsAreViews) {
  const GgufTensor* tensor = file_.Tensor("w");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(file_.Tensor("v"), nullptr);
  const WeightView view = tensor->View();
  EXPECT_EQ(view.rows, 6u);
  EXPECT_EQ(view.cols, 32u);
  EXPECT_EQ(view.row_bytes, 18u);
  EXPECT_EQ(view.bytes(), tensor->data.size());
  EXPECT_EQ(tensor->elements(), 192u);
}

TEST_F(GgufLookups, DescribeIsShortAndComplete) {
  const auto entries = file_.Describe();
  ASSERT_EQ(entries.size(), 10u);
  EXPECT_EQ(entries[0].key, "u8");
  EXPECT_EQ(entries[0].value, "200");
  EXPECT_EQ(entries[7].type, "f32 × 2");
  EXPECT_EQ(entries[7].value, "[1.5, -2]");
  EXPECT_EQ(entries[9].value, "['a', '', 'bc']");
}

TEST(GgufFile, OpensTheRepositorysModels) {
  int files = 0;
  for (const auto& path : GoldenModels()) {
    const GgufFile file = GgufFile::Open(path);
    EXPECT_FALSE(file.String("general.architecture").empty());
    EXPECT_GT(file.tensors().size(), 3u);
    EXPECT_EQ(file.file_bytes(), std::filesystem::file_size(path));
    ++files;
  }
  EXPECT_GE(files, 8);
  EXPECT_THROW(GgufFile::Open(TestdataDir() / "arch" / "tokens.txt"), InputError);
  EXPECT_THROW(GgufFile::Open(TestdataDir() / "missing.gguf"), InputError);
}

}  // namespace
}  // namespace smallmind
