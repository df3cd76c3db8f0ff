// Activation rows of a batch, in the forms that matrix kernels take: float32, int8 blocks of 32,
// BF16, tiles of several tokens.
#pragma once

#include <cstdint>

#include "engine/kernels/acts.h"
#include "engine/kernels/order.h"
#include "engine/runtime/aligned_buffer.h"

namespace smallmind {

// The forms beside float32 rows that the matrices reading a buffer want.
struct ActForms {
  bool blocks = false;  // int8 blocks, for quantised weights
  bool bf16 = false;    // for BF16 weights
  bool floats = false;  // for F32 and F16 weights
  static ActForms For(DType weight) {
    const bool blocks = UsesQuantRows(weight), bf16 = weight == DType::kBF16;
    return {.blocks = blocks, .bf16 = bf16, .floats = !blocks && !bf16};
  }
  ActForms operator|(ActForms other) const {
    return {.blocks = blocks || other.blocks,
            .bf16 = bf16 || other.bf16,
            .floats = floats || other.floats};
  }
  ActForms& operator|=(ActForms other) { return *this = *this | other; }
};

// Owns `rows` × `cols` floats and, where asked for, their other forms. Float rows are padded by one
// cache line so that equal columns of neighbouring rows do not share a cache set.
class ActBuffer {
 public:
  // `several`: for products of more than one row at a time.
  void Reserve(size_t rows, size_t cols, ActForms forms, bool several) {
    cols_ = cols;
    stride_ = RoundUp16(cols) + 16;
    floats_.Reserve(rows * stride_);
    forms_ = forms;
    if (forms.blocks) {
      quant_stride_ = QuantRowStride(cols);
      quants_.Reserve(rows * quant_stride_);
    }
    if (forms.bf16) {
      bf16_stride_ = Bf16Cols(cols) + 32;
      bf16_.Reserve(rows * bf16_stride_);
    }
    tile_tokens_ = several ? FloatTileTokens() : 0;
    if (tile_tokens_ == 0) return;
    tile_floats_ = FloatTileFloats(cols);
    const size_t tiles = (rows + tile_tokens_ - 1) / tile_tokens_;
    if (forms.bf16) bf16_tiles_.Reserve(tiles * tile_floats_);
    if (forms.floats) float_tiles_.Reserve(tiles * tile_floats_);
  }

  size_t stride() const { return stride_; }
  float* Row(size_t r) { return floats_.data() + r * stride_; }

  // Columns [begin, end) of row r in the other forms; begin is a multiple of 32, and end too or the
  // last.
  void Quantise(size_t r, size_t begin, size_t end) { Quantise(r, begin, end, Row(r) + begin); }
  // The same of x[end − begin], which need not lie in the row.
  void Quantise(size_t r, size_t begin, size_t end, const float* x) {
    if (forms_.bf16) RoundRowToBf16(x, end - begin, bf16_.data() + r * bf16_stride_ + begin);
    if (tile_tokens_ != 0) {
      if (forms_.bf16) Pack(bf16_tiles_, TileValues::kRoundedToBf16, r, begin, end, x);
      if (forms_.floats) Pack(float_tiles_, TileValues::kFloats, r, begin, end, x);
    }
    if (!forms_.blocks) return;
    QuantizeRow(x, end - begin,
                quants_.data() + r * quant_stride_ + begin / kActBlock * sizeof(ActBlock));
  }

  // For weights of a type that multiplies floats.
  FloatRows Floats(size_t first, size_t n, DType weight) {
    FloatRows rows{.data = Row(first), .n_tokens = n, .cols = cols_, .stride = stride_};
    const bool bf16 = weight == DType::kBF16;
    if (bf16) {
      rows.bf16 = bf16_.data() + first * bf16_stride_;
      rows.bf16_stride = bf16_stride_;
    }
    if (tile_tokens_ != 0) {
      rows.tiles = Tile(bf16 ? bf16_tiles_ : float_tiles_, first);
      rows.tiles_first = first % tile_tokens_;
    }
    return rows;
  }
  QuantRows Quants(size_t first, size_t n) {
    return {.data = quants_.data() + first * quant_stride_,
            .n_tokens = n,
            .cols = cols_,
            .stride = quant_stride_};
  }

 private:
  float* Tile(AlignedBuffer<float>& tiles, size_t row) {
    return tiles.data() + row / tile_tokens_ * tile_floats_;
  }
  void Pack(AlignedBuffer<float>& tiles, TileValues values, size_t r, size_t begin, size_t end,
            const float* x) {
    PackFloatTile(x, begin, end - begin, cols_, values, r % tile_tokens_, Tile(tiles, r));
  }

  size_t cols_ = 0;
  size_t stride_ = 0;
  size_t quant_stride_ = 0;
  size_t bf16_stride_ = 0;
  size_t tile_tokens_ = 0;  // 0: no tiles
  size_t tile_floats_ = 0;
  ActForms forms_;
  AlignedBuffer<float> floats_;
  AlignedBuffer<uint8_t> quants_;
  AlignedBuffer<uint16_t> bf16_;
  AlignedBuffer<float> bf16_tiles_, float_tiles_;
};

}  // namespace smallmind
