// Each class of hostile file: refused with an InputError that names the field, never anything else.
//
// With SMALLMIND_SEED_DIR in the environment every case is also written there: the seeds of
// gguf_fuzz.
#include "engine/gguf/parse.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "engine/base/error.h"
#include "engine/base/rng.h"
#include "engine/gguf/raw_gguf.h"

namespace smallmind {
namespace {

constexpr uint64_t kHuge = ~uint64_t{0};
constexpr uint32_t kF32Id = 0, kQ4_0Id = 2;

void WriteSeed(const std::vector<uint8_t>& bytes) {
  const char* dir = std::getenv("SMALLMIND_SEED_DIR");
  if (dir == nullptr || bytes.size() > 65536) return;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  char name[32];
  std::snprintf(name, sizeof(name), "/%016llx", static_cast<unsigned long long>(HashName(text)));
  std::ofstream(std::string(dir) + name, std::ios::binary) << text;
}

std::string ErrorOf(const RawGguf& raw) {
  WriteSeed(raw.bytes());
  try {
    ParseGguf(raw.bytes(), "test.gguf");
  } catch (const InputError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("test.gguf"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message;
  }
  return "";
}

#define EXPECT_REFUSED(raw, part) \
  EXPECT_NE(ErrorOf(raw).find(part), std::string::npos) << "error was: " << ErrorOf(raw)

// One tensor "t" with these dimensions, type and offset, and `data` bytes behind the header.
RawGguf OneTensor(const std::vector<uint64_t>& dims, uint32_t type, uint64_t offset, size_t data) {
  return RawGguf(3, 1, 0).Tensor("t", dims, type, offset).Pad(32).Zeros(data);
}

TEST(ParseGguf, AcceptsSmallFiles) {
  EXPECT_EQ(ErrorOf(RawGguf(3, 0, 0)), "");
  EXPECT_EQ(ErrorOf(RawGguf(2, 0, 0)), "");
  EXPECT_EQ(ErrorOf(OneTensor({32, 3}, kQ4_0Id, 0, 54)), "");
  EXPECT_EQ(ErrorOf(OneTensor({2, 3, 4, 5}, kF32Id, 0, 480)), "");
  const RawGguf gap =
      RawGguf(3, 2, 0).Tensor("a", {4}, kF32Id, 0).Tensor("b", {4}, kF32Id, 64).Pad(32).Zeros(80);
  EXPECT_EQ(ErrorOf(gap), "");
}

// A whole model of 32 dimensions and one layer, with a vocabulary of either kind: refused by
// nobody.
RawGguf WholeModel(bool sentencepiece) {
  constexpr uint64_t kDim = 32, kHidden = 32;
  const uint64_t vocab = sentencepiece ? 300 : 270;
  RawGguf raw(3, 12, sentencepiece ? 18 : 17);
  const auto number = [&](const char* key, uint32_t value) {
    raw.Key(key, GgufType::kU32).U32(value);
  };
  raw.Key("general.architecture", GgufType::kString).String("llama");
  number("llama.block_count", 1);
  number("llama.context_length", 64);
  number("llama.embedding_length", kDim);
  number("llama.feed_forward_length", kHidden);
  number("llama.attention.head_count", 2);
  number("llama.attention.head_count_kv", 1);
  number("llama.rope.dimension_count", 16);
  raw.Key("llama.rope.freq_base", GgufType::kF32).F32(10000);
  raw.Key("llama.attention.layer_norm_rms_epsilon", GgufType::kF32).F32(1e-5f);
  raw.Key("tokenizer.ggml.model", GgufType::kString).String(sentencepiece ? "llama" : "gpt2");
  raw.Key("tokenizer.ggml.pre", GgufType::kString).String(sentencepiece ? "default" : "llama-bpe");
  raw.ArrayKey("tokenizer.ggml.tokens", GgufType::kString, vocab);
  for (uint64_t i = 0; i < vocab; ++i) {
    const uint64_t byte = sentencepiece ? i - 3 : i;
    char text[8];
    std::snprintf(text, sizeof(text), "<0x%02X>", static_cast<unsigned>(byte & 255));
    const bool is_byte = sentencepiece && i >= 3 && byte < 256;
    const bool letter = byte >= 33 && byte < 127;
    raw.String(is_byte  ? text
               : letter ? std::string(1, static_cast<char>(byte))
                        : "t" + std::to_string(i));
  }
  if (sentencepiece) {
    raw.ArrayKey("tokenizer.ggml.scores", GgufType::kF32, vocab);
    for (uint64_t i = 0; i < vocab; ++i) raw.F32(-static_cast<float>(i));
  } else {
    raw.ArrayKey("tokenizer.ggml.merges", GgufType::kString, 2).String("t h").String("th e");
  }
  raw.ArrayKey("tokenizer.ggml.token_type", GgufType::kI32, vocab);
  for (uint64_t i = 0; i < vocab; ++i) {
    raw.Put(int32_t{!sentencepiece ? 1 : i < 3 ? 3 : i < 259 ? 6 : 1});
  }
  number("tokenizer.ggml.bos_token_id", 1);
  number("tokenizer.ggml.eos_token_id", 2);
  if (sentencepiece) number("tokenizer.ggml.unknown_token_id", 0);

  uint64_t offset = 0;
  const auto matrix = [&](const std::string& name, uint64_t cols, uint64_t rows) {
    raw.Tensor(name, {cols, rows}, kQ4_0Id, offset);
    offset += (cols / 32 * 18 * rows + 31) / 32 * 32;
  };
  const auto vector = [&](const std::string& name) {
    raw.Tensor(name, {kDim}, kF32Id, offset);
    offset += kDim * 4;
  };
  matrix("token_embd.weight", kDim, vocab);
  vector("output_norm.weight");
  vector("blk.0.attn_norm.weight");
  matrix("blk.0.attn_q.weight", kDim, kDim);
  matrix("blk.0.attn_k.weight", kDim, kDim / 2);
  matrix("blk.0.attn_v.weight", kDim, kDim / 2);
  matrix("blk.0.attn_output.weight", kDim, kDim);
  vector("blk.0.ffn_norm.weight");
  matrix("blk.0.ffn_gate.weight", kDim, kHidden);
  matrix("blk.0.ffn_up.weight", kDim, kHidden);
  matrix("blk.0.ffn_down.weight", kHidden, kDim);
  matrix("output.weight", kDim, vocab);
  return raw.Pad(32).Zeros(static_cast<size_t>(offset));
}

TEST(ParseGguf, AcceptsWholeModels) {
  EXPECT_EQ(ErrorOf(WholeModel(true)), "");
  EXPECT_EQ(ErrorOf(WholeModel(false)), "");
}

TEST(ParseGguf, MagicAndVersion) {
  EXPECT_REFUSED(RawGguf().Text("GG"), "magic");
  EXPECT_REFUSED(RawGguf().Text("GGML").U32(3).U64(0).U64(0), "not a GGUF");
  EXPECT_REFUSED(RawGguf(1, 0, 0), "version 1");
  EXPECT_REFUSED(RawGguf(4, 0, 0), "version 4");
  EXPECT_REFUSED(RawGguf(0x03000000, 0, 0), "big-endian");
}

TEST(ParseGguf, CountsAgainstRemainingBytes) {
  EXPECT_REFUSED(RawGguf(3, kHuge, 0), "tensor count");
  EXPECT_REFUSED(RawGguf(3, 0, kHuge), "metadata count");
  EXPECT_REFUSED(RawGguf(3, uint64_t{1} << 61, 0).Zeros(100), "tensor count");
  EXPECT_REFUSED(RawGguf(3, 0, 1), "metadata count");
}

TEST(ParseGguf, StringLengths) {
  EXPECT_REFUSED(RawGguf(3, 0, 1).U64(kHuge).Zeros(40), "metadata key");
  EXPECT_REFUSED(RawGguf(3, 0, 1).U64(0).U32(0).U8(0).Zeros(20), "metadata key of 0");
  EXPECT_REFUSED(RawGguf(3, 0, 1).Key("k", GgufType::kString).U64(kHuge), "key 'k'");
  EXPECT_REFUSED(RawGguf(3, 0, 1).Key(std::string(65536, 'k'), GgufType::kU8).U8(0), "65536");
  EXPECT_REFUSED(RawGguf(3, 1, 0).U64(kHuge).Zeros(40), "tensor name");
  EXPECT_REFUSED(RawGguf(3, 1, 0).Tensor(std::string(65, 't'), {1}, kF32Id, 0).Zeros(64), "65");
}

TEST(ParseGguf, ValueTypes) {
  EXPECT_REFUSED(RawGguf(3, 0, 1).Key("k", 13).Zeros(8), "type 13");
  EXPECT_REFUSED(RawGguf(3, 0, 1).Key("k", 0xffffffff).Zeros(8), "4294967295");
  EXPECT_REFUSED(RawGguf(3, 0, 1).Key("k", GgufType::kBool).U8(2).Zeros(8), "bool 2");
}

TEST(ParseGguf, Arrays) {
  EXPECT_REFUSED(RawGguf(3, 0, 1).ArrayKey("k", GgufType::kU8, kHuge).Zeros(100), "'k'");
  EXPECT_REFUSED(RawGguf(3, 0, 1).ArrayKey("k", GgufType::kU64, uint64_t{1} << 61), "'k'");
  EXPECT_REFUSED(RawGguf(3, 0, 1).ArrayKey("k", GgufType::kString, uint64_t{1} << 61), "'k'");
  EXPECT_REFUSED(RawGguf(3, 0, 1).ArrayKey("k", GgufType::kString, 1000000000).Zeros(100), "'k'");
  EXPECT_REFUSED(RawGguf(3, 0, 1).ArrayKey("k", GgufType::kString, 2).String("a").U64(kHuge - 7),
                 "string 1 of 2");
  EXPECT_REFUSED(RawGguf(3, 0, 1).ArrayKey("k", GgufType::kArray, 1).Zeros(100),
                 "arrays of arrays");
  EXPECT_REFUSED(RawGguf(3, 0, 1).Key("k", GgufType::kArray).U32(99).U64(0), "type 99");
  EXPECT_REFUSED(RawGguf(3, 0, 1).ArrayKey("k", GgufType::kBool, 1).U8(7), "bool 7");
}

TEST(ParseGguf, Duplicates) {
  EXPECT_REFUSED(RawGguf(3, 0, 2).Key("k", GgufType::kU8).U8(0).Key("k", GgufType::kU8).U8(1),
                 "twice");
  const RawGguf twins =
      RawGguf(3, 2, 0).Tensor("t", {4}, kF32Id, 0).Tensor("t", {4}, kF32Id, 32).Pad(32).Zeros(64);
  EXPECT_REFUSED(twins, "twice");
}

TEST(ParseGguf, Alignment) {
  const auto with = [](uint32_t alignment) {
    return RawGguf(3, 0, 1).Key("general.alignment", GgufType::kU32).U32(alignment);
  };
  EXPECT_EQ(ErrorOf(with(8)), "");
  EXPECT_EQ(ErrorOf(with(64)), "");
  for (const uint32_t bad : {0u, 1u, 4u, 12u, 33u, 1u << 30, 0x80000000u, 0xffffffffu}) {
    EXPECT_REFUSED(with(bad), "general.alignment");
  }
  EXPECT_REFUSED(RawGguf(3, 0, 1).Key("general.alignment", GgufType::kString).String("32"),
                 "allowed u32");
  EXPECT_REFUSED(RawGguf(3, 0, 1).Key("general.alignment", GgufType::kU64).U64(32), "allowed u32");
}

TEST(ParseGguf, Dimensions) {
  EXPECT_REFUSED(OneTensor({}, kF32Id, 0, 64), "0 dimensions");
  EXPECT_REFUSED(OneTensor({1, 1, 1, 1, 1}, kF32Id, 0, 64), "5 dimensions");
  EXPECT_REFUSED(RawGguf(3, 1, 0).String("t").U32(0xffffffff).Zeros(100), "4294967295 dimensions");
  EXPECT_REFUSED(OneTensor({4, 0}, kF32Id, 0, 64), "dimension 1 is 0");
  const uint64_t big = uint64_t{1} << 32;
  EXPECT_REFUSED(OneTensor({big, big}, kF32Id, 0, 64), "overflows");
  EXPECT_REFUSED(OneTensor({big, big, big, big}, kF32Id, 0, 64), "overflows");
  EXPECT_REFUSED(OneTensor({kHuge}, kF32Id, 0, 64), "overflows");
  EXPECT_REFUSED(OneTensor({uint64_t{1} << 61}, kF32Id, 0, 64), "size in bytes overflows");
  EXPECT_REFUSED(OneTensor({16}, kQ4_0Id, 0, 64), "whole Q4_0 blocks");
  EXPECT_REFUSED(OneTensor({0x4000000000000001u, 4}, kF32Id, 0, 64), "overflows");
}

TEST(ParseGguf, TensorTypes) {
  for (const uint32_t id : {4u, 5u, 9u, 16u, 24u, 31u, 39u, 1000u, 0xffffffffu}) {
    EXPECT_REFUSED(OneTensor({256}, id, 0, 2048), "type id " + std::to_string(id));
  }
  EXPECT_REFUSED(OneTensor({256}, 16, 0, 2048), "(IQ2_XXS)");
}

TEST(ParseGguf, Extents) {
  EXPECT_REFUSED(OneTensor({16}, kF32Id, 0, 63), "run past the data section");
  EXPECT_REFUSED(OneTensor({16}, kF32Id, 16, 128), "not a multiple of 32");
  EXPECT_REFUSED(OneTensor({16}, kF32Id, kHuge - 31, 128), "run past");
  EXPECT_REFUSED(OneTensor({16}, kF32Id, uint64_t{1} << 63, 128), "run past");
  const auto two = [](uint64_t first, uint64_t second) {
    return RawGguf(3, 2, 0)
        .Tensor("a", {16}, kF32Id, first)
        .Tensor("b", {16}, kF32Id, second)
        .Pad(32)
        .Zeros(128);
  };
  EXPECT_EQ(ErrorOf(two(0, 64)), "");
  EXPECT_REFUSED(two(0, 0), "overlaps");
  EXPECT_REFUSED(two(0, 32), "overlaps");
  EXPECT_REFUSED(two(64, 0), "out of order");
}

TEST(ParseGguf, HostileNamesStayOneLine) {
  const RawGguf raw = RawGguf(3, 1, 0).Tensor("a\n\x1b[31m", {16}, 77, 0).Zeros(64);
  EXPECT_REFUSED(raw, "'a\\x0a\\x1b[31m'");
}

}  // namespace
}  // namespace smallmind
