// Element types of tensors as GGUF stores them: ids, block sizes in elements and bytes.
//
// Source: the GGUF specification's ggml_type ids and the block layouts of the format (see
// blocks.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace smallmind {

enum class DType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kIQ4_NL = 20,
  kIQ4_XS = 23,
  kBF16 = 30,
};

struct DTypeInfo {
  DType type;
  std::string_view name;  // the field's spelling: "Q4_K"
  uint32_t block_elems;   // elements in one block; rows are whole blocks
  uint32_t block_bytes;   // bytes in one block
};

// Every type, unquantised ones first.
std::span<const DTypeInfo> AllDTypes();

// Null for an id this engine does not know.
const DTypeInfo* FindDType(uint32_t ggml_id);
const DTypeInfo* FindDType(std::string_view name);  // case-insensitive
const DTypeInfo& Info(DType type);

// Bytes of one row of `cols` elements; cols is a multiple of block_elems.
inline size_t RowBytes(DType type, size_t cols) {
  const DTypeInfo& info = Info(type);
  return cols / info.block_elems * info.block_bytes;
}

}  // namespace smallmind
