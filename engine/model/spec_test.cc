// Real small models with one number made wrong: each is refused with an InputError that names the
// number.
#include "engine/model/spec.h"

#include <gtest/gtest.h>

#include <limits>

#include "engine/base/error.h"
#include "engine/base/testing.h"
#include "engine/gguf/patched_gguf.h"
#include "engine/gguf/raw_gguf.h"

namespace smallmind {
namespace {

class SpecTest : public testing::Test {
 protected:
  std::string ErrorOf(const PatchedGguf& patched) {
    try {
      ReadSpec(patched.Open(), 0);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
  void ExpectRefused(const PatchedGguf& patched, const std::string& part) {
    const std::string error = ErrorOf(patched);
    EXPECT_NE(error.find(part), std::string::npos) << "error was: " << error;
  }
  PatchedGguf llama_{TestdataDir() / "arch" / "llama.gguf"};
  PatchedGguf mixtral_{MixtralModel()};
};

TEST_F(SpecTest, ReadsWhatTheGoldenModelsSay) {
  EXPECT_EQ(ErrorOf(llama_), "");
  const ModelSpec spec = ReadSpec(mixtral_.Open(), 0);
  EXPECT_GT(spec.n_experts, 0u);
  EXPECT_LE(spec.n_experts_used, spec.n_experts);
  EXPECT_EQ(spec.rope.inv_freq.size(), spec.rope.n_rot / 2);
}

TEST_F(SpecTest, NoLayers) {
  ExpectRefused(llama_.Set("llama.block_count", uint32_t{0}), "block_count");
  ExpectRefused(llama_.Set("llama.block_count", uint32_t{0xffffffff}), "block_count");
}

TEST_F(SpecTest, HeadsThatDoNotDivide) {
  ExpectRefused(llama_.Set("llama.attention.head_count_kv", uint32_t{3}), "3 KV heads");
  ExpectRefused(llama_.Set("llama.attention.head_count_kv", uint32_t{0}), "head_count_kv");
}

TEST_F(SpecTest, NoHeads) {
  ExpectRefused(llama_.Set("llama.attention.head_count", uint32_t{0}), "head_count");
}

TEST_F(SpecTest, RopeWiderThanAHead) {
  ExpectRefused(llama_.Set("llama.rope.dimension_count", uint32_t{1u << 20}), "rope");
  ExpectRefused(llama_.Set("llama.rope.dimension_count", uint32_t{7}), "rope");
}

TEST_F(SpecTest, NumbersThatAreNone) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  ExpectRefused(llama_.Set("llama.attention.layer_norm_rms_epsilon", kNan), "epsilon");
  ExpectRefused(llama_.Set("llama.attention.layer_norm_rms_epsilon", kInf), "epsilon");
  ExpectRefused(llama_.Set("llama.attention.layer_norm_rms_epsilon", -1.0f), "epsilon");
  ExpectRefused(llama_.Set("llama.attention.layer_norm_rms_epsilon", 1e-40f), "epsilon");
}

TEST_F(SpecTest, MissingKeysAreNamed) {
  ExpectRefused(llama_.RemoveKey("llama.embedding_length"), "llama.embedding_length");
}

TEST_F(SpecTest, MissingArchitecture) {
  ExpectRefused(llama_.RemoveKey("general.architecture"), "general.architecture");
}

TEST_F(SpecTest, PartsOfASplitModel) {
  const RawGguf part = RawGguf(3, 0, 2)
                           .Key("general.architecture", GgufType::kString)
                           .String("llama")
                           .Key("split.count", GgufType::kU16)
                           .Put(uint16_t{3});
  try {
    ReadSpec(GgufFile::FromBytes(part.bytes(), "part"), 0);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("one of 3 parts"), std::string::npos) << error.what();
  }
}

TEST_F(SpecTest, MissingEmbedding) {
  ExpectRefused(llama_.RemoveTensor("token_embd.weight"), "token_embd.weight");
}

TEST_F(SpecTest, MoreExpertsUsedThanThereAre) {
  ExpectRefused(mixtral_.Set("llama.expert_used_count", uint32_t{1000}), "expert_used_count");
}

}  // namespace
}  // namespace smallmind
