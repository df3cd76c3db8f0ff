// Embedding look-up: one row through the scalar decoder. A row costs microseconds, once a token.
#include "engine/kernels/matmul.h"
#include "engine/tensor/decode.h"

namespace smallmind {

void DecodeRow(const WeightView& w, size_t row, float* out) {
  DecodeScalar(w.type, w.Row(row), w.cols, out);
}

}  // namespace smallmind
