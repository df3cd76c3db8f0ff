#include "engine/gguf/gguf.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
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

// A file's strings are read through a copy that is smaller than they are, bytes in memory in place.
class StringsOfAFile : public testing::Test {
 protected:
  static std::string Word(size_t i) {
    std::string word = std::to_string(i);
    word.resize(i % 97 == 0 ? 3 * i : i % 41, static_cast<char>('a' + i % 26));
    return word;
  }
  static constexpr size_t kWords = 20000;  // 2 MB; the longest has 60 kB
  StringsOfAFile() {
    raw_.ArrayKey("words", GgufType::kString, kWords);
    for (size_t i = 0; i < kWords; ++i) raw_.String(Word(i));
    raw_.Key("after", GgufType::kU32).U32(7);
  }
  ~StringsOfAFile() override { std::filesystem::remove(path_); }
  void Write(size_t bytes) const {
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(raw_.bytes().data()),
               static_cast<std::streamsize>(bytes));
  }

  RawGguf raw_{3, 0, 2};
  const std::filesystem::path path_ = TestTempDir() / "strings.gguf";
};

TEST_F(StringsOfAFile, AreThoseOfTheBytes) {
  Write(raw_.bytes().size());
  const GgufFile file = GgufFile::Open(path_);
  EXPECT_EQ(file.Uint("after"), 7u);
  const GgufArray& words = *file.Array("words");
  const GgufFile memory = GgufFile::FromBytes(raw_.bytes(), "memory");
  StringStream stream(words), in_place(*memory.Array("words"));
  StringWalk walk(words.bytes.data());
  for (size_t i = 0; i < kWords; ++i) {
    ASSERT_EQ(words.bytes.data() + stream.offset(), walk.at()) << i;
    ASSERT_EQ(stream.Next(), Word(i));
    ASSERT_EQ(in_place.Next(), Word(i));
    ASSERT_EQ(walk.Next(), Word(i));
  }
  EXPECT_EQ(stream.offset(), words.bytes.size());
  EXPECT_EQ(stream.Next(), "");
}

TEST_F(StringsOfAFile, AreRefusedWhereTheyAreCut) {
  std::vector<size_t> cuts = {size_t{1} << 20, raw_.bytes().size() - 30};
  for (size_t i = 0; i < 40; ++i) cuts.push_back((size_t{192} << 10) + i);
  for (const size_t bytes : cuts) {
    Write(bytes);
    const auto refusal = [](const auto& open) -> std::string {
      try {
        open();
      } catch (const InputError& e) {
        return e.what();
      }
      return "accepted";
    };
    const std::string said = refusal([&] { GgufFile::Open(path_); });
    EXPECT_NE(said.find("runs past the end of the file"), std::string::npos) << said;
    EXPECT_EQ(said, refusal([&] {
                GgufFile::FromBytes(std::span(raw_.bytes()).first(bytes), path_.string());
              }));
  }
}

// Whoever cuts a file that is open gets strings cut short, no crash.
TEST_F(StringsOfAFile, EndWhereAnOpenFileIsCut) {
  Write(raw_.bytes().size());
  const GgufFile file = GgufFile::Open(path_);
  const GgufArray& words = *file.Array("words");
  std::filesystem::resize_file(path_, 100 << 10);
  StringStream stream(words);
  size_t bytes = 0;
  for (size_t i = 0; i < kWords; ++i) bytes += stream.Next().size();
  EXPECT_LT(bytes, size_t{100} << 10);
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
