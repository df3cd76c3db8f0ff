#include "engine/gguf/writer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <span>

#include "engine/base/error.h"
#include "engine/base/testing.h"
#include "engine/gguf/gguf.h"

namespace smallmind {
namespace {

namespace fs = std::filesystem;

fs::path TempFile() {
  return TestTempDir() / (std::string("writer_") +
                          testing::UnitTest::GetInstance()->current_test_info()->name() + ".gguf");
}

TEST(GgufWriter, ReadsBackWhatItWrote) {
  const fs::path path = TempFile();
  std::vector<uint8_t> weights(18 * 2 * 3);
  std::iota(weights.begin(), weights.end(), uint8_t{1});
  const std::vector<float> norm = {1, 2, 3};
  const std::vector<std::string> words = {"a", "", "▁the"};
  {
    GgufWriter out(path, 64);
    out.Add("general.architecture", "llama");
    out.Add("u32", uint32_t{7});
    out.Add("u64", uint64_t{1} << 40);
    out.Add("i32", int32_t{-7});
    out.Add("f", 0.25f);
    out.Add("b", true);
    out.AddArray("words", words);
    out.AddArray("floats", norm);
    out.AddArray("ints", std::vector<int32_t>{-1, 3});
    out.DeclareTensor("w", DType::kQ4_0, std::vector<uint64_t>{64, 3});
    out.DeclareTensor("n", DType::kF32, std::vector<uint64_t>{3});
    // Pieces that do not respect tensor edges.
    out.WriteData(std::span<const uint8_t>(weights).first(50));
    std::vector<uint8_t> rest(weights.begin() + 50, weights.end());
    const auto* norm_bytes = reinterpret_cast<const uint8_t*>(norm.data());
    rest.insert(rest.end(), norm_bytes, norm_bytes + 12);
    out.WriteData(rest);
    out.Finish();
  }
  const GgufFile file = GgufFile::Open(path);
  EXPECT_EQ(file.version(), 3u);
  EXPECT_EQ(file.Uint("general.alignment"), 64u);
  EXPECT_EQ(file.String("general.architecture"), "llama");
  EXPECT_EQ(file.Uint("u32"), 7u);
  EXPECT_EQ(file.Uint("u64"), uint64_t{1} << 40);
  EXPECT_EQ(file.Float("i32"), -7.0);
  EXPECT_EQ(file.Float("f"), 0.25);
  EXPECT_TRUE(file.Bool("b", false));
  EXPECT_EQ(file.Array("words")->Strings()[2], "▁the");
  const std::span<const uint8_t> floats = file.Array("floats")->bytes;
  ASSERT_EQ(floats.size(), norm.size() * sizeof(float));
  EXPECT_EQ(std::memcmp(floats.data(), norm.data(), floats.size()), 0);
  EXPECT_EQ(file.Array("ints")->Ints(), (std::vector<int32_t>{-1, 3}));
  const GgufTensor* w = file.Tensor("w");
  ASSERT_NE(w, nullptr);
  EXPECT_TRUE(std::equal(weights.begin(), weights.end(), w->data.begin(), w->data.end()));
  EXPECT_EQ(file.Tensor("n")->data[4], 0);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.Tensor("n")->data.data()) % 64, 0u);
  fs::remove(path);
}

// Every value and tensor of a real model copied: the reader sees the same directory.
TEST(GgufWriter, CopiesAModel) {
  const fs::path path = TempFile();
  const GgufFile source = GgufFile::Open(TestdataDir() / "arch" / "qwen2.gguf");
  {
    GgufWriter out(path);
    for (const GgufValue& value : source.values()) out.Copy(value);
    for (const GgufTensor& t : source.tensors()) {
      out.DeclareTensor(t.name, t.type, std::span(t.ne).first(t.n_dims));
    }
    for (const GgufTensor& t : source.tensors()) out.WriteData(t.data);
    out.Finish();
  }
  const GgufFile copy = GgufFile::Open(path);
  const auto before = source.Describe(), after = copy.Describe();
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].key, after[i].key);
    EXPECT_EQ(before[i].type, after[i].type);
    EXPECT_EQ(before[i].value, after[i].value);
  }
  for (const GgufTensor& t : source.tensors()) {
    const GgufTensor* c = copy.Tensor(t.name);
    ASSERT_NE(c, nullptr);
    EXPECT_EQ(c->ne, t.ne);
    EXPECT_TRUE(std::equal(t.data.begin(), t.data.end(), c->data.begin(), c->data.end()));
  }
  fs::remove(path);
}

TEST(GgufWriter, UnfinishedLeavesNoFile) {
  const fs::path path = TempFile();
  {
    GgufWriter out(path);
    out.DeclareTensor("w", DType::kF32, std::vector<uint64_t>{4});
    EXPECT_THROW(out.Finish(), InternalError);                             // no data
    EXPECT_THROW(out.WriteData(std::vector<uint8_t>(17)), InternalError);  // too much
    EXPECT_THROW(out.Add("late", true), InternalError);
    EXPECT_THROW(out.DeclareTensor("v", DType::kF32, std::vector<uint64_t>{4}), InternalError);
  }
  EXPECT_FALSE(fs::exists(path));
  EXPECT_THROW(GgufWriter(path).DeclareTensor("w", DType::kQ4_0, std::vector<uint64_t>{31}),
               InternalError);
}

TEST(GgufWriter, DiskErrorsAreInputErrors) {
  GgufWriter out("/dev/full");
  out.DeclareTensor("w", DType::kF32, std::vector<uint64_t>{1 << 20});
  EXPECT_THROW(out.WriteData(std::vector<uint8_t>(4 << 20)), InputError);
}

}  // namespace
}  // namespace smallmind
