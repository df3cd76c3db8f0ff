// Sums over the bound matrices; norms, biases and attention's own products are left out (under 3 %
// up to 512 positions). Tested in token_work_test.cc against the tensors' directory.
#include "engine/model/token_work.h"

namespace smallmind {
namespace {

void Count(const Linear& linear, TokenWork* work) {
  work->prompt_ops += 2 * linear.weight.rows * linear.weight.cols;
  work->weight_bytes += linear.weight.bytes();
}

}  // namespace

TokenWork WorkOfToken(const ModelSpec& spec, const ModelWeights& weights) {
  TokenWork work;
  for (const LayerWeights& layer : weights.layers) {
    for (const Linear* linear : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up,
                                 &layer.down, &layer.router}) {
      Count(*linear, &work);
    }
    if (!layer.router) continue;
    for (const ExpertMatrices* experts : {&layer.gate_exps, &layer.up_exps, &layer.down_exps}) {
      for (size_t e = 0; e < spec.n_experts_used; ++e) Count((*experts)[e], &work);
    }
  }
  work.weight_bytes += weights.output.weight.bytes();
  return work;
}

size_t CacheBytesOfPosition(const ModelSpec& spec, DType type) {
  return spec.n_layers * spec.n_kv_heads *
         (RowBytes(type, spec.head_dim_k) + RowBytes(type, spec.head_dim_v));
}

}  // namespace smallmind
