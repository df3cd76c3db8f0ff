// Activations in the form the weight type's kernels want: float32 rows or int8 blocks of 32 with
// scales.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/tensor/dtype.h"

namespace smallmind {

// n_tokens rows of `cols` float32, row t at data + t*stride (stride in elements, ≥ cols).
//
// BF16 weights multiply activations rounded to BF16 alone: row t at bf16 + t*bf16_stride, made by
// RoundRowToBf16. Several tokens are read from tiles where FloatTileTokens() is not 0, of the
// rounded ones for BF16.
struct FloatRows {
  const float* data = nullptr;
  size_t n_tokens = 0;
  size_t cols = 0;
  size_t stride = 0;
  const uint16_t* bf16 = nullptr;  // needed by BF16 weights
  size_t bf16_stride = 0;          // elements, ≥ Bf16Cols(cols)
  const float* tiles = nullptr;    // of FloatTileFloats(cols) each
  size_t tiles_first = 0;          // where row 0 is: which token of the first tile
  const float* Row(size_t t) const { return data + t * stride; }
};

// Elements of a row of rounded activations: padded with zeros to whole steps of 32.
constexpr size_t Bf16Cols(size_t cols) { return (cols + 31) / 32 * 32; }

// Rounds to nearest even; NaN stays NaN. Writes Bf16Cols(cols) elements.
void RoundRowToBf16(const float* x, size_t cols, uint16_t* out);

// Targets whose registers have fewer than 16 lanes read several tokens from tiles, which their
// register tiles stream through: so many tokens abreast, [register of the 16 virtual lanes][step of
// 16 columns][token][lane], zeros up to whole steps. In tiles for BF16 the elements are rounded to
// it, and of each 32 the odd ones come first (order.h, 2b). 0: this target reads rows.
size_t FloatTileTokens();
inline size_t FloatTileFloats(size_t cols) { return FloatTileTokens() * Bf16Cols(cols); }

enum class TileValues { kFloats, kRoundedToBf16 };

// Puts columns [begin, begin + n) of a row of `cols` into its place in a tile, as token `token`.
// begin is a multiple of 32, n too unless it reaches the end. A tile is best 64-byte aligned.
void PackFloatTile(const float* x, size_t begin, size_t n, size_t cols, TileValues values,
                   size_t token, float* tile);

// The bits of the float 1.5·2^23. An integer sum that starts from them is, read as a float,
// 1.5·2^23 + i exactly, as long as |i| < 2^22 (a block's is below 2^21): no conversion.
inline constexpr int32_t kSumOrigin = 0x4B400000;
inline constexpr float kSumOriginFloat = 12582912.0f;

// 32 activations as int8 with one scale: x ≈ d·q, q in [-127, 127]. The sums ride along so that
// kernels fold offsets and minima without touching q again. 48 bytes: no 16-byte half of q crosses
// a cache line.
struct ActBlock {
  int8_t q[32];
  float d;          // amax/127, float32
  float sum;        // float(Σq), exact
  int32_t bias;     // kSumOrigin − 128·Σq: where a dot of (weight + 128) starts
  int32_t bias_lo;  // the same over the first 16 alone

  // −128·Σq of the first 16, and of the last.
  int32_t low_bias() const { return bias_lo - kSumOrigin; }
  int32_t high_bias() const { return bias - bias_lo; }
};
static_assert(sizeof(ActBlock) == 48);

// n_tokens rows of cols/32 ActBlocks, `stride` bytes apart. cols is a multiple of 32. Rows are
// 16-byte aligned at least; the caller owns the buffer and sizes it with QuantRowStride.
struct QuantRows {
  const uint8_t* data = nullptr;
  size_t n_tokens = 0;
  size_t cols = 0;
  size_t stride = 0;
  const uint8_t* Row(size_t t) const { return data + t * stride; }
};

// Bytes to put between rows of up to `cols` activations: an odd number of cache lines, because a
// tile reads a dozen rows at one column and powers of two would put them all into one set of the L1
// cache.
constexpr size_t QuantRowStride(size_t cols) {
  const size_t lines = (cols / 32 * sizeof(ActBlock) + 63) / 64;
  return (lines | 1) * 64;
}

// True where the weight type multiplies QuantRows, false where it multiplies FloatRows (F32, F16,
// BF16).
bool UsesQuantRows(DType weight);

// Quantises `cols` floats (a multiple of 32) to cols/32 ActBlocks at `out` (16-byte aligned);
// element 32·i goes to out + i·sizeof(ActBlock), so a row may be quantised in pieces. Part of the
// order contract:
//   amax = max|x|; d = amax/127; id = 127/amax; q = round-half-even(x·id), each rounded once to
//   float32;
// amax below 1e-30 gives zeros. NaN and infinity are not an error: a block with a NaN is zero, one
// with an infinity has q = 0 and d = ∞.
void QuantizeRow(const float* x, size_t cols, uint8_t* out);

}  // namespace smallmind
