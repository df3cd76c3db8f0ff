// Embedding look-up: one row through the scalar decoder. A row costs microseconds, once a token.
#include <algorithm>

#include "engine/kernels/matmul.h"
#include "engine/tensor/blocks.h"
#include "engine/tensor/decode.h"
#include "engine/tensor/packed.h"

namespace smallmind {

void DecodeRow(const WeightView& w, size_t row, float* out) {
  if (!w.packed) return DecodeScalar(w.type, w.Row(row), w.cols, out);
  uint8_t stored[kSuperBlock / kBlock * sizeof(BlockQ8_0)];  // of 256 columns, at their largest
  for (size_t c = 0; c < w.cols; c += kSuperBlock) {
    const size_t n = std::min(kSuperBlock, w.cols - c);
    UnpackColumns(w, row, c, n, stored);
    DecodeScalar(w.type, stored, n, out + c);
  }
}

}  // namespace smallmind
