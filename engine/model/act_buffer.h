// Activation rows of a batch, in both forms that matrix kernels take: float32 and int8 blocks of 32.
#pragma once

#include <cstdint>

#include "engine/kernels/acts.h"
#include "engine/runtime/aligned_buffer.h"

namespace smallmind {

// Owns `rows` × `cols` floats and, where asked for, their quantised form. Rows are padded by one cache line
// so that equal columns of neighbouring rows do not share a cache set.
class ActBuffer {
 public:
  void Reserve(size_t rows, size_t cols, bool quantised) {
    cols_ = cols;
    stride_ = (cols + 15) / 16 * 16 + 16;
    floats_.Reserve(rows * stride_);
    if (!quantised) return;
    q_stride_ = (cols + 63) / 64 * 64 + 64;
    d_stride_ = (cols / kBlock + 15) / 16 * 16;
    q_.Reserve(rows * q_stride_);
    d_.Reserve(rows * d_stride_);
    sum16_.Reserve(rows * d_stride_ * 2);
  }

  size_t cols() const { return cols_; }
  size_t stride() const { return stride_; }
  float* Row(size_t r) { return floats_.data() + r * stride_; }
  int8_t* Q(size_t r) { return q_.data() + r * q_stride_; }
  float* D(size_t r) { return d_.data() + r * d_stride_; }
  int16_t* Sum16(size_t r) { return sum16_.data() + r * d_stride_ * 2; }

  // Quantises columns [begin, end) of row r; both multiples of 32.
  void Quantise(size_t r, size_t begin, size_t end) {
    QuantizeRow(Row(r) + begin, end - begin, Q(r) + begin, D(r) + begin / kBlock,
                Sum16(r) + begin / (kBlock / 2));
  }

  FloatRows Floats(size_t first, size_t n) { return {Row(first), n, cols_, stride_}; }
  QuantRows Quants(size_t first, size_t n) {
    return {Q(first), D(first), Sum16(first), n, cols_, q_stride_, d_stride_};
  }

 private:
  static constexpr size_t kBlock = 32;
  size_t cols_ = 0;
  size_t stride_ = 0;
  size_t q_stride_ = 0;
  size_t d_stride_ = 0;
  AlignedBuffer<float> floats_;
  AlignedBuffer<int8_t> q_;
  AlignedBuffer<float> d_;
  AlignedBuffer<int16_t> sum16_;
};

}  // namespace smallmind
