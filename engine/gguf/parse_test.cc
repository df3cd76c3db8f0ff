// Each class of hostile file: refused with an InputError that names the field, never anything else.
#include "engine/gguf/parse.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/gguf/raw_gguf.h"

namespace smallmind {
namespace {

constexpr uint64_t kHuge = ~uint64_t{0};
constexpr uint32_t kF32Id = 0, kQ4_0Id = 2;

std::string ErrorOf(const RawGguf& raw) {
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
