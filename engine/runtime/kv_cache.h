// Keys and values of one sequence: per layer and KV head a run of positions, in F32, F16 or Q8_0.
//
// Layout: [layer][kv head][position][head_dim], keys and values apart, so that one head's attention
// streams contiguous memory. Layers with a sliding window keep the whole context too.
// Memory is reserved for the whole context but pages are touched only when written.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/runtime/aligned_buffer.h"
#include "engine/tensor/dtype.h"

namespace smallmind {

struct KvShape {
  DType type = DType::kF32;
  size_t n_layers = 0;
  size_t n_kv_heads = 0;
  size_t head_dim_k = 0;
  size_t head_dim_v = 0;
  size_t context = 0;  // positions a sequence may have
};

class KvCache {
 public:
  explicit KvCache(const KvShape& shape);

  const KvShape& shape() const { return shape_; }
  size_t length() const { return length_; }  // positions filled
  size_t context() const { return shape_.context; }
  size_t bytes() const { return store_.size(); }
  void set_length(size_t n) { length_ = n; }

  size_t k_stride() const { return k_stride_; }  // bytes between positions of a head
  size_t v_stride() const { return v_stride_; }
  uint8_t* K(size_t layer, size_t head) {
    return store_.data() + layer * layer_bytes_ + head * head_k_;
  }
  uint8_t* V(size_t layer, size_t head) {
    return store_.data() + layer * layer_bytes_ + shape_.n_kv_heads * head_k_ + head * head_v_;
  }

 private:
  KvShape shape_;
  size_t length_ = 0;
  size_t k_stride_ = 0;
  size_t v_stride_ = 0;
  size_t head_k_ = 0;  // bytes of one head's keys
  size_t head_v_ = 0;
  size_t layer_bytes_ = 0;
  AlignedBuffer<uint8_t> store_;
};

}  // namespace smallmind
