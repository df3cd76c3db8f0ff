// Activations in the form the weight type's kernels want: float32 rows or int8 blocks of 32 with scales.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/tensor/dtype.h"

namespace smallmind {

// n_tokens rows of `cols` float32, row t at data + t*stride (stride in elements, ≥ cols).
struct FloatRows {
  const float* data = nullptr;
  size_t n_tokens = 0;
  size_t cols = 0;
  size_t stride = 0;
  const float* Row(size_t t) const { return data + t * stride; }
};

// n_tokens rows quantised to int8 in blocks of 32: x ≈ d·q, q in [-127, 127], d = amax/127 (float32, not
// rounded to f16), q = round-half-away(x/d)... rounding is part of the contract, see quantize_acts.cc.
// cols is a multiple of 32. Arrays are owned by the caller's scratch:
//   q     int8  [n_tokens][cols]           64-byte aligned rows (cols padded up to 64 by q_stride)
//   d     float [n_tokens][cols/32]
//   sum16 int16 [n_tokens][cols/16]        Σq over each 16 elements (a block's xsum is the sum of two)
struct QuantRows {
  const int8_t* q = nullptr;
  const float* d = nullptr;
  const int16_t* sum16 = nullptr;
  size_t n_tokens = 0;
  size_t cols = 0;
  size_t q_stride = 0;   // bytes between rows of q
  size_t d_stride = 0;   // floats between rows of d; sum16 rows are 2·d_stride apart
};

// True where the weight type multiplies QuantRows, false where it multiplies FloatRows (F32, F16, BF16).
bool UsesQuantRows(DType weight);

// Quantises one float row of `cols` (multiple of 32) into row t of writable buffers of QuantRows' shape.
void QuantizeRow(const float* x, size_t cols, int8_t* q, float* d, int16_t* sum16);

}  // namespace smallmind
