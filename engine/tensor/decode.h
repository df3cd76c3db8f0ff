// Scalar block decoders: the oracle every kernel is tested against, written straight from the
// format.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/tensor/dtype.h"

namespace smallmind {

float F16ToF32(uint16_t bits);
uint16_t F32ToF16(float value);  // round to nearest even
float BF16ToF32(uint16_t bits);
uint16_t F32ToBF16(float value);  // round to nearest even

// Decodes `cols` elements (whole blocks) of `type` at `src` to float32.
void DecodeScalar(DType type, const uint8_t* src, size_t cols, float* out);

}  // namespace smallmind
