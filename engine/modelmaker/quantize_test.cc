#include "engine/modelmaker/quantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/testing.h"
#include "engine/gguf/gguf.h"
#include "engine/gguf/writer.h"
#include "engine/modelmaker/make_model.h"
#include "engine/tensor/decode.h"

namespace smallmind {
namespace {

namespace fs = std::filesystem;

class QuantizeTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = TestTempDir() / (std::string("quantize_") +
                            testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }
  fs::path dir_;
};

std::vector<float> Decoded(const GgufFile& file, std::string_view name) {
  const WeightView view = file.Tensor(name)->View();
  std::vector<float> out(view.rows * view.cols);
  for (size_t r = 0; r < view.rows; ++r) {
    DecodeScalar(view.type, view.Row(r), view.cols, &out[r * view.cols]);
  }
  return out;
}

TEST_F(QuantizeTest, KeepsMetadataAndVectorsAndEncodesMatrices) {
  MakeModel({"tiny-llama", "F32", 1, dir_ / "in", 2});
  size_t calls = 0;
  const QuantizeResult result = Quantize({dir_ / "in", dir_ / "out", "q4_k_m", 2,
                                          [&](auto, DType, DType, size_t, size_t) { ++calls; }});
  const GgufFile in = GgufFile::Open(dir_ / "in"), out = GgufFile::Open(dir_ / "out");
  EXPECT_EQ(result.output_bytes, out.file_bytes());
  EXPECT_LT(result.output_bytes, result.input_bytes / 4);
  EXPECT_EQ(calls, in.tensors().size());
  EXPECT_EQ(out.Uint("general.file_type"), 15u);
  EXPECT_EQ(out.values().size(), in.values().size());
  EXPECT_EQ(out.Array("tokenizer.ggml.tokens")->Strings(),
            in.Array("tokenizer.ggml.tokens")->Strings());
  EXPECT_EQ(out.Tensor("output.weight")->type, DType::kQ6_K);
  EXPECT_EQ(out.Tensor("blk.0.attn_q.weight")->type, DType::kQ4_K);
  EXPECT_EQ(Decoded(out, "output_norm.weight"), Decoded(in, "output_norm.weight"));
  const auto before = Decoded(in, "blk.0.attn_q.weight"),
             after = Decoded(out, "blk.0.attn_q.weight");
  double error = 0, signal = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    error += (after[i] - before[i]) * (after[i] - before[i]);
    signal += before[i] * before[i];
  }
  EXPECT_LT(error / signal, 0.006);
  EXPECT_GT(error, 0);
}

TEST_F(QuantizeTest, ThreadsDoNotMatterAndInPlaceWorks) {
  MakeModel({"tiny-qwen2", "F16", 1, dir_ / "in", 2});
  Quantize({dir_ / "in", dir_ / "one", "Q5_1", 1});
  Quantize({dir_ / "in", dir_ / "in", "Q5_1", 3});
  const GgufFile one = GgufFile::Open(dir_ / "one"), in = GgufFile::Open(dir_ / "in");
  for (const GgufTensor& t : one.tensors()) {
    const GgufTensor* other = in.Tensor(t.name);
    ASSERT_NE(other, nullptr);
    EXPECT_TRUE(std::equal(t.data.begin(), t.data.end(), other->data.begin(), other->data.end()));
  }
}

TEST_F(QuantizeTest, EveryArchitectureOfTheRepository) {
  for (const fs::path& path : GoldenModels()) {
    for (const char* type : {"Q8_0", "Q4_K_M"}) {
      const QuantizeResult result = Quantize({path, dir_ / "out", type, 2});
      EXPECT_GT(result.tensors, 0u) << path;
      const GgufFile out = GgufFile::Open(dir_ / "out");
      EXPECT_EQ(out.tensors().size(), GgufFile::Open(path).tensors().size());
    }
  }
}

// A file of one matrix of ones, but for `value` at its 40th place.
void WriteMatrix(const fs::path& path, uint64_t cols, float value) {
  GgufWriter out(path);
  out.DeclareTensor("blk.0.attn_q.weight", DType::kF32, std::vector<uint64_t>{cols, 2});
  std::vector<float> x(2 * cols, 1.0f);
  x[40] = value;
  out.WriteData({reinterpret_cast<const uint8_t*>(x.data()), x.size() * sizeof(float)});
  out.Finish();
}

TEST_F(QuantizeTest, WritesNoInfinities) {
  struct Case {
    const char* type;
    uint64_t cols;  // 33: falls back to F16
    float held, refused;
  };
  const float largest = std::numeric_limits<float>::max();
  for (const Case& c : {Case{"F16", 32, 65519.0f, 65520.0f}, Case{"F16", 32, -65519.0f, -65520.0f},
                        Case{"Q8_0", 33, 65519.0f, 65520.0f}, Case{"Q4_K_M", 33, 1.0f, 1e9f},
                        Case{"BF16", 32, 3.3e38f, largest}, Case{"F32", 32, largest, INFINITY}}) {
    WriteMatrix(dir_ / "in", c.cols, c.held);
    EXPECT_NO_THROW(Quantize({dir_ / "in", dir_ / "out", c.type, 1})) << c.type;
    const GgufFile out = GgufFile::Open(dir_ / "out");
    for (const float v : Decoded(out, "blk.0.attn_q.weight")) EXPECT_TRUE(std::isfinite(v));
    fs::remove(dir_ / "out");
    WriteMatrix(dir_ / "in", c.cols, c.refused);
    if (std::string(c.type) == "F32") continue;  // stays as it is
    try {
      Quantize({dir_ / "in", dir_ / "out", c.type, 2});
      ADD_FAILURE() << c.type << " took " << c.refused;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("blk.0.attn_q.weight"), std::string::npos);
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
    EXPECT_FALSE(fs::exists(dir_ / "out"));
  }
}

// A block's scale is F16 too, and stops at its largest: no type writes what decodes to infinity, or
// to something else altogether.
TEST_F(QuantizeTest, EveryTypeHoldsOrRefusesLargeWeights) {
  for (const DTypeInfo& type : AllDTypes()) {
    for (const float value : {7e4f, 1e7f, 1e12f, 1e38f}) {
      WriteMatrix(dir_ / "in", 256, value);
      try {
        Quantize({dir_ / "in", dir_ / "out", std::string(type.name), 1});
        const GgufFile out = GgufFile::Open(dir_ / "out");
        const std::vector<float> back = Decoded(out, "blk.0.attn_q.weight");
        for (const float v : back) EXPECT_TRUE(std::isfinite(v)) << type.name << " " << value;
        EXPECT_GE(back[40], value / 2) << type.name;
      } catch (const InputError&) {
        EXPECT_NE(type.type, DType::kF32);
      }
    }
  }
}

TEST_F(QuantizeTest, CountsWhatTookAnotherType) {
  const auto fallbacks = [&](const char* type, uint64_t cols) {
    WriteMatrix(dir_ / "in", cols, 1.0f);
    return Quantize({dir_ / "in", dir_ / "out", type, 1}).fallbacks;
  };
  EXPECT_EQ(fallbacks("Q4_K_M", 256), 0u);
  EXPECT_EQ(fallbacks("Q4_K_M", 576), 1u);
  EXPECT_EQ(fallbacks("Q4_K", 576), 1u);
  EXPECT_EQ(fallbacks("Q8_0", 576), 0u);
  EXPECT_EQ(fallbacks("Q8_0", 41), 1u);
}

TEST_F(QuantizeTest, RefusesWhatItCannotDo) {
  MakeModel({"tiny-llama", "F16", 1, dir_ / "in", 2});
  EXPECT_THROW(Quantize({dir_ / "in", dir_ / "out", "Q4_Z", 1}), UsageError);
  EXPECT_THROW(Quantize({dir_ / "missing", dir_ / "out", "Q4_0", 1}), InputError);
  EXPECT_THROW(Quantize({dir_ / "in", "/dev/full", "Q8_0", 1}), InputError);
  {
    GgufWriter bare(dir_ / "bare");
    bare.Add("general.architecture", "llama");
    bare.Finish();
    GgufWriter nan(dir_ / "nan");
    nan.DeclareTensor("blk.0.attn_q.weight", DType::kF32, std::vector<uint64_t>{32, 2});
    std::vector<float> x(64, 1.0f);
    x[40] = std::numeric_limits<float>::quiet_NaN();
    nan.WriteData({reinterpret_cast<const uint8_t*>(x.data()), 256});
    nan.Finish();
  }
  EXPECT_THROW(Quantize({dir_ / "bare", dir_ / "out", "Q8_0", 1}), InputError);
  EXPECT_THROW(Quantize({dir_ / "nan", dir_ / "out", "Q8_0", 2}), InputError);
  EXPECT_FALSE(fs::exists(dir_ / "out"));
}

}  // namespace
}  // namespace smallmind
