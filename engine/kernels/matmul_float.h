// Float half of the matrix products: what matmul.h's functions need to know of F32, F16 and BF16
// weights.
#pragma once

#include <cstddef>

#include "engine/tensor/view.h"

namespace smallmind {

// Rows a caller hands out at once: whole tiles, and enough of them to pay for the call.
size_t FloatMatMulRowGrain(const WeightView& w, size_t n_tokens);

}  // namespace smallmind
