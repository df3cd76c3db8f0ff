// Only arithmetic on offsets; what is stored is the attention kernel's business (kernels/attention.h).
// Tested through cached-against-uncached logits in model/forward_test.cc.

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
  size_t offset = 0;
  const auto take = [&](size_t bytes) {
    const size_t at = offset;
    offset += (bytes + 63) / 64 * 64;
    return at;
  };
  for (size_t layer = 0; layer < shape.layer_ring.size(); ++layer) {
    k_offset_.push_back(take(shape.n_kv_heads * HeadK(layer)));
    v_offset_.push_back(take(shape.n_kv_heads * HeadV(layer)));
  }
  bytes_ = offset;
  store_.Reserve(offset);
}

}  // namespace smallmind
