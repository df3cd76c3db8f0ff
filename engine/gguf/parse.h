// GGUF bytes to a checked directory of metadata and tensors. No allocation is sized by the file
// before the count has been checked against the bytes that are left.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gguf/gguf.h"

namespace smallmind {

// Limits of the format, and ours where it sets none.
inline constexpr uint64_t kMaxKeyBytes = 65535;      // specification
inline constexpr uint64_t kMaxTensorNameBytes = 64;  // specification
inline constexpr uint32_t kMaxDims = 4;              // specification
inline constexpr uint32_t kMinAlignment = 8;         // specification: a multiple of 8
inline constexpr uint32_t kMaxAlignment = 1u << 16;  // ours: a page on every platform
inline constexpr uint32_t kDefaultAlignment = 32;    // specification

// One metadata value: which member holds it follows from the type.
struct GgufValue {
  std::string_view key;
  GgufType type = GgufType::kU8;
  std::span<const uint8_t> scalar;  // fixed-width types: the value's bytes
  std::string_view text;            // kString
  GgufArray array;                  // kArray
};

struct ParsedGguf {
  uint32_t version = 0;
  uint32_t alignment = kDefaultAlignment;
  std::vector<GgufValue> values;    // file order, keys unique
  std::vector<uint32_t> by_key;     // indices into values, sorted by key
  std::vector<GgufTensor> tensors;  // file order, names unique
  std::vector<uint32_t> by_name;    // indices into tensors, sorted by name
};

// `file` names the source in errors, `mapped` is where `bytes` are a file's. The result points into
// `bytes`.
ParsedGguf ParseGguf(std::span<const uint8_t> bytes, std::string_view file,
                     const MappedFile* mapped = nullptr);

// (key, type, short value) for people.
GgufFile::Entry DescribeValue(const GgufValue& value);
// The value as JSON, for programs: strings whole, numbers (null where not finite), booleans; arrays
// of up to kJsonItems elements as arrays, longer ones as {"type","count","first":[4 elements]}.
inline constexpr uint64_t kJsonItems = 64;
std::string ValueJson(const GgufValue& value);

std::string_view GgufTypeName(GgufType type);
// Bytes of one value; 0 for strings and arrays.
size_t GgufTypeBytes(GgufType type);

}  // namespace smallmind
