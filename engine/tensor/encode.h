// Quantisers: float32 rows to blocks of every type `quantize` and `make-model` write.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/tensor/dtype.h"

namespace smallmind {

// Encodes `cols` (whole blocks) floats; dst has RowBytes(type, cols) bytes.
void EncodeRow(DType type, const float* src, size_t cols, uint8_t* dst);

}  // namespace smallmind
