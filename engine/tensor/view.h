// Non-owning views of weights: typed rows over the mapped file, or over a copy of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/tensor/dtype.h"

namespace smallmind {

// Bytes of weights that somebody is going to read.
struct ByteRange {
  const uint8_t* data = nullptr;
  size_t bytes = 0;
};

// A matrix of `rows` × `cols` weights, row-major; a row is a run of whole blocks of `type`.
// GGUF's ne[0] is cols, ne[1] rows. A vector has rows == 1. The view does not own `data`, which may
// have an alignment of 8 bytes at row 0 (32 in files with GGUF's default) and any at later rows.
//
// Where it is packed (packed.h), 16 rows from a multiple of 16 on are one range of bytes in another
// order: rows are counted from multiples of 16 then.
struct WeightView {
  DType type = DType::kF32;
  const uint8_t* data = nullptr;
  size_t rows = 0;
  size_t cols = 0;
  size_t row_bytes = 0;
  bool packed = false;

  const uint8_t* Row(size_t r) const { return data + r * row_bytes; }
  size_t bytes() const { return rows * row_bytes; }
  ByteRange Bytes(size_t begin, size_t end) const {  // of rows [begin, end)
    return {Row(begin), (end - begin) * row_bytes};
  }
  explicit operator bool() const { return data != nullptr; }
  // Rows [begin, end): expert slices and fused projections are such views.
  WeightView Rows(size_t begin, size_t end) const {
    return {type, data + begin * row_bytes, end - begin, cols, row_bytes, packed};
  }
};

}  // namespace smallmind
