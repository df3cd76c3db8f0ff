// One walk over the pieces of a chunk serves both directions. Tested in packed_test.cc, and through
// products of packed matrices in kernels/matmul_quant_test.cc.
#include "engine/tensor/packed.h"

#include <algorithm>
#include <cstring>

#include "engine/base/error.h"
#include "engine/tensor/blocks.h"

namespace smallmind {
namespace {

// A block: an f16 or none, dwords, an f16 or none.
struct Shape {
  size_t head, dwords, tail;  // bytes, count, bytes
  size_t chunk() const { return head != 0 ? kPackedBlocks : 1; }
  size_t bytes() const { return head + 4 * dwords + tail; }
};

Shape ShapeOf(DType type) {
  switch (type) {
    case DType::kQ4_0:
      return {2, sizeof(BlockQ4_0) / 4, 0};
    case DType::kQ8_0:
      return {2, sizeof(BlockQ8_0) / 4, 0};
    case DType::kQ4_K:
      return {0, sizeof(BlockQ4_K) / 4, 0};
    case DType::kQ5_K:
      return {0, sizeof(BlockQ5_K) / 4, 0};
    case DType::kQ6_K:
      return {0, sizeof(BlockQ6_K) / 4, 2};
    default:
      throw InternalError("no packed type");
  }
}

// fn(offset in the stored block, bytes, where in the packed chunk row 0 has them) for every piece
// of block b of a chunk of n; the other rows follow, so many bytes apart.
template <class Fn>
void ForPieces(const Shape& s, size_t b, size_t n, Fn fn) {
  if (s.head != 0) fn(size_t{0}, s.head, b * kPackedRows * s.head);
  size_t at = kPackedRows * (n * s.head + b * (s.bytes() - s.head));
  for (size_t k = 0; k < s.dwords; ++k, at += 4 * kPackedRows) fn(s.head + 4 * k, size_t{4}, at);
  if (s.tail != 0) fn(s.head + 4 * s.dwords, s.tail, at);
}

}  // namespace

void PackGroup(const WeightView& stored, size_t row, uint8_t* out) {
  const Shape s = ShapeOf(stored.type);
  const size_t blocks = stored.row_bytes / s.bytes();
  for (size_t c = 0; c < blocks; c += s.chunk()) {
    const size_t n = std::min(s.chunk(), blocks - c);
    uint8_t* const chunk = out + c * s.bytes() * kPackedRows;
    for (size_t b = 0; b < n; ++b) {
      const uint8_t* const block = stored.Row(row) + (c + b) * s.bytes();
      ForPieces(s, b, n, [&](size_t offset, size_t bytes, size_t at) {
        const uint8_t* from = block + offset;
        uint8_t* to = chunk + at;
        for (size_t r = 0; r < kPackedRows; ++r, from += stored.row_bytes, to += bytes) {
          std::memcpy(to, from, bytes == 4 ? 4 : 2);  // constants: one move
        }
      });
    }
  }
}

void UnpackColumns(const WeightView& packed, size_t row, size_t begin, size_t columns,
                   uint8_t* out) {
  const Shape s = ShapeOf(packed.type);
  const size_t lane = row % kPackedRows, width = Info(packed.type).block_elems;
  const uint8_t* const group = packed.Row(row - lane);
  const size_t blocks = packed.cols / width, end = (begin + columns) / width;
  for (size_t c = begin / width; c < end; c += s.chunk()) {
    const size_t n = std::min(s.chunk(), blocks - c);
    const uint8_t* const chunk = group + c * s.bytes() * kPackedRows;
    for (size_t b = 0; b < std::min(n, end - c); ++b, out += s.bytes()) {
      ForPieces(s, b, n, [&](size_t offset, size_t bytes, size_t at) {
        std::memcpy(out + offset, chunk + at + lane * bytes, bytes);
      });
    }
  }
}

}  // namespace smallmind
