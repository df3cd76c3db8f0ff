// What one token costs: the numbers that place a measured speed on the machine's roofline.
#pragma once

#include <cstddef>

#include "engine/model/spec.h"
#include "engine/model/weights.h"

namespace smallmind {

struct TokenWork {
  // Operations (2 for a multiply-add) with weights for a prompt token whose logits nobody asks for.
  size_t prompt_ops = 0;
  // Bytes of the matrices that a decoded token multiplies, the output's among them; of embeddings
  // it reads a row, which is left out.
  size_t weight_bytes = 0;
};

// A token of a mixture of experts counts the experts it uses.
TokenWork WorkOfToken(const ModelSpec& spec, const ModelWeights& weights);

// Keys and values of one position in all layers. A layer with a window reads them for the window's
// positions alone.
size_t CacheBytesOfPosition(const ModelSpec& spec, DType type);

}  // namespace smallmind
