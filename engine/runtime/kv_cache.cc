// Only arithmetic on offsets; what is stored is the attention kernel's business
// (kernels/attention.h). Tested through cached-against-uncached logits in model/forward_test.cc.

#include "engine/runtime/kv_cache.h"

#include <string>

#include "engine/base/error.h"

namespace smallmind {

KvCache::KvCache(const KvShape& shape) : shape_(shape) {
  for (size_t dim : {shape.head_dim_k, shape.head_dim_v}) {
    if (dim % Info(shape.type).block_elems != 0) {
      throw InputError("KV cache type " + std::string(Info(shape.type).name) +
                       " needs a head size that is a multiple of " +
                       std::to_string(Info(shape.type).block_elems) + ", the model's is " +
                       std::to_string(dim));
    }
  }
  k_stride_ = RowBytes(shape.type, shape.head_dim_k);
  v_stride_ = RowBytes(shape.type, shape.head_dim_v);
  const auto whole_lines = [](size_t bytes) { return (bytes + 63) / 64 * 64; };
  head_k_ = whole_lines(shape.context * k_stride_);
  head_v_ = whole_lines(shape.context * v_stride_);
  layer_bytes_ = shape.n_kv_heads * (head_k_ + head_v_);
  store_.Reserve(shape.n_layers * layer_bytes_);
}

}  // namespace smallmind
