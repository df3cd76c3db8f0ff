// Packed matrices: the bytes of 16 rows side by side, in the order in which kernels read them.
//
// A group of 16 rows takes as many bytes as it does stored. Of every block the dwords are
// transposed: dword k of all 16 rows is [k][row], 64 bytes, so that one load has lane = row; a
// stored matrix needs gathers and transposing sums for that. A block's f16 in front (Q4_0, Q8_0)
// lies before the dwords of its chunk of eight blocks (fewer at a row's end), [block][row], which
// leaves the dwords whole cache lines; one at its end (Q6_K) behind its own dwords, [row]. The
// integers are the same, and so is every bit of a product.
//
// To add a type: its shape in packed.cc and its name in kPackedTypes; its trait's Decode must read
// rows through LoadRows, GatherU32 and HalfAt alone (kernels/matmul_quant_types-inl.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/tensor/view.h"

namespace smallmind {

inline constexpr size_t kPackedRows = 16;   // of a group
inline constexpr size_t kPackedBlocks = 8;  // of a chunk, where a block begins with an f16
inline constexpr DType kPackedTypes[] = {DType::kQ4_0, DType::kQ8_0, DType::kQ4_K, DType::kQ5_K,
                                         DType::kQ6_K};

constexpr bool CanPack(DType type) {
  for (const DType packed : kPackedTypes) {
    if (packed == type) return true;
  }
  return false;
}
// Whole groups of such a type.
inline bool CanPack(const WeightView& w) {
  return CanPack(w.type) && w.rows != 0 && w.rows % kPackedRows == 0;
}

// Packs the 16 rows from `row` on, of a stored matrix that CanPack, to `out`: 16·row_bytes.
void PackGroup(const WeightView& stored, size_t row, uint8_t* out);

// `columns` ≤ 256 of a row of a packed matrix as they were stored, from column `begin` on, a
// multiple of 256; `out` takes RowBytes(type, columns).
void UnpackColumns(const WeightView& packed, size_t row, size_t begin, size_t columns,
                   uint8_t* out);

}  // namespace smallmind
