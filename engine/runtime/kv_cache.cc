// Only arithmetic on offsets; what is stored is the attention kernel's business
// (kernels/attention.h).
//
// A pass over positions [begin, end) reads from begin − (window − 1) on: window − 1 + batch
// positions at most, which touch at most ⌈(window − 2 + batch)/256⌉ + 1 blocks. A ring of so many
// gives each of them a place of its own, so a pass never overwrites what it reads. Tested in
// kv_cache_test.cc and, to the bit against a cache of everything, in model/window_ring_test.cc.

#include "engine/runtime/kv_cache.h"

#include <algorithm>
#include <string>

#include "engine/base/checked.h"
#include "engine/base/error.h"

namespace smallmind {
namespace {

size_t Blocks(size_t positions) { return positions / kKvBlock + (positions % kKvBlock != 0); }

// Positions of the ring; 0 where it would not be smaller than the context.
size_t RingOf(const KvShape& shape) {
  const bool any = std::find(shape.layer_windowed.begin(), shape.layer_windowed.end(), true) !=
                   shape.layer_windowed.end();
  if (!any || shape.window == 0 || shape.window >= shape.context) return 0;
  const size_t batch = std::clamp<size_t>(shape.batch, 1, shape.context);
  const size_t span = shape.window - 1 + batch;
  const size_t blocks = Blocks(span - 1) + 1;
  return blocks < Blocks(shape.context) ? blocks * kKvBlock : 0;
}

size_t WholeLines(size_t positions, size_t stride) {
  uint64_t bytes = 0;
  if (!CheckedMul(positions, stride, &bytes) || !CheckedAlignUp(bytes, 64, &bytes)) {
    throw InputError("a KV cache of " + std::to_string(positions) + " positions is too large");
  }
  return bytes;
}

}  // namespace

KvCache::KvCache(const KvShape& shape) : shape_(shape), ring_(RingOf(shape)) {
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
  whole_head_ = {WholeLines(shape.context, k_stride_), WholeLines(shape.context, v_stride_)};
  ring_head_ = {ring_ * k_stride_, ring_ * v_stride_};
  uint64_t end = 0;
  for (size_t layer = 0; layer < shape.n_layers; ++layer) {
    layer_begin_.push_back(end);
    const HeadBytes head = Head(layer);
    uint64_t bytes = 0;
    if (!CheckedAdd(head.k, head.v, &bytes) || !CheckedMul(bytes, shape.n_kv_heads, &bytes) ||
        !CheckedAdd(end, bytes, &end) || end > SIZE_MAX / 2) {
      throw InputError("a KV cache of " + std::to_string(shape.context) +
                       " positions is too large");
    }
  }
  store_.Reserve(end);
}

void KvCache::Claim(size_t begin, size_t end) {
  if (ring_ == 0) return;
  if (end - begin > shape_.batch) {
    throw InputError(std::to_string(end - begin) + " positions in one pass, the KV cache is for " +
                     std::to_string(shape_.batch));
  }
  // A pass at position 0 sees nothing older.
  const size_t written = begin == 0 ? 0 : written_;
  const size_t sees = begin + 1 > shape_.window ? begin + 1 - shape_.window : 0;
  const size_t last_block = (std::max(written, end) - 1) / kKvBlock;
  if (sees / kKvBlock + ring_ / kKvBlock <= last_block) {
    throw InputError("position " + std::to_string(begin) + " cannot be taken up again: after " +
                     std::to_string(written) +
                     " positions the window's cache has lost what it sees");
  }
  written_ = std::max(written, end);
}

}  // namespace smallmind
