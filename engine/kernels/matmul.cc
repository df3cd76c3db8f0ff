// What matrix products have in common: which kernel family takes a type, and what callers must
// provide. Tested through matmul_quant_test.cc and matmul_float_test.cc.
#include "engine/kernels/matmul.h"

#include <algorithm>

#include "engine/kernels/matmul_float.h"
#include "engine/kernels/matmul_quant.h"

namespace smallmind {

bool UsesQuantRows(DType weight) {
  return weight != DType::kF32 && weight != DType::kF16 && weight != DType::kBF16;
}

size_t MatMulScratchBytes(size_t max_cols) {
  return std::max(QuantScratchBytes(max_cols), FloatScratch::Bytes(max_cols));
}

size_t MatMulRowGrain(const WeightView& w, size_t n_tokens) {
  return UsesQuantRows(w.type) ? kQuantRowGrain : FloatMatMulRowGrain(w, n_tokens);
}

void MatMul(const WeightView& w, size_t row_begin, size_t row_end, const QuantRows& x, float* out,
            size_t out_stride, std::span<uint8_t> scratch, FetchStream* fetch) {
  if (row_begin >= row_end || x.n_tokens == 0) return;
  MatMulQuant({w, row_begin, row_end, x, out, out_stride, scratch.data(), fetch});
}

}  // namespace smallmind
