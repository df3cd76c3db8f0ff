// Activation rows of a batch, in both forms that matrix kernels take: float32 and int8 blocks of 32.
#pragma once

#include <cstdint>

#include "engine/kernels/acts.h"
#include "engine/kernels/order.h"
#include "engine/runtime/aligned_buffer.h"

namespace smallmind {

// Owns `rows` × `cols` floats and, where asked for, their quantised form. Float rows are padded by one cache
// line so that equal columns of neighbouring rows do not share a cache set.
class ActBuffer {
 public:
  void Reserve(size_t rows, size_t cols, bool quantised) {
    cols_ = cols;
    stride_ = (cols + 15) / 16 * 16 + 16;
    floats_.Reserve(rows * stride_);
    if (!quantised) return;
    quant_stride_ = QuantRowStride(cols);
    quants_.Reserve(rows * quant_stride_);
  }

  size_t stride() const { return stride_; }
  float* Row(size_t r) { return floats_.data() + r * stride_; }

  // Quantises columns [begin, end) of row r; both multiples of 32.
  void Quantise(size_t r, size_t begin, size_t end) {
    QuantizeRow(Row(r) + begin, end - begin,
                quants_.data() + r * quant_stride_ + begin / kActBlock * sizeof(ActBlock));
  }

  FloatRows Floats(size_t first, size_t n) {
    return {.data = Row(first), .n_tokens = n, .cols = cols_, .stride = stride_};
  }
  QuantRows Quants(size_t first, size_t n) {
    return {.data = quants_.data() + first * quant_stride_,
            .n_tokens = n,
            .cols = cols_,
            .stride = quant_stride_};
  }

 private:
  size_t cols_ = 0;
  size_t stride_ = 0;
  size_t quant_stride_ = 0;
  AlignedBuffer<float> floats_;
  AlignedBuffer<uint8_t> quants_;
};

}  // namespace smallmind
