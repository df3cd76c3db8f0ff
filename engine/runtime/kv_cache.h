// Keys and values of one sequence: per layer and KV head a run of positions, in F32, F16 or Q8_0.
//
// Layout: [layer][kv head][position][head_dim], keys and values apart, so that one head's attention streams
// contiguous memory. A layer with a sliding window keeps a ring: position p lives in slot p mod ring.
// Memory is reserved for the whole context but pages are touched only when written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/runtime/aligned_buffer.h"
#include "engine/tensor/dtype.h"

namespace smallmind {

struct KvShape {
  DType type = DType::kF32;
  size_t n_kv_heads = 0;
  size_t head_dim_k = 0;
  size_t head_dim_v = 0;
  size_t context = 0;              // positions a sequence may have
  std::vector<size_t> layer_ring;  // per layer: positions kept; context where there is no window
};

class KvCache {
 public:
  explicit KvCache(const KvShape& shape);

  const KvShape& shape() const { return shape_; }
  size_t length() const { return length_; }  // positions filled
  size_t context() const { return shape_.context; }
  size_t bytes() const { return bytes_; }
  void set_length(size_t n) { length_ = n; }

  size_t k_stride() const { return k_stride_; }  // bytes between positions of a head
  size_t v_stride() const { return v_stride_; }
  size_t ring(size_t layer) const { return shape_.layer_ring[layer]; }
  uint8_t* K(size_t layer, size_t head) { return store_.data() + k_offset_[layer] + head * HeadK(layer); }
  uint8_t* V(size_t layer, size_t head) { return store_.data() + v_offset_[layer] + head * HeadV(layer); }

 private:
  size_t HeadK(size_t layer) const { return ring(layer) * k_stride_; }
  size_t HeadV(size_t layer) const { return ring(layer) * v_stride_; }

  KvShape shape_;
  size_t length_ = 0;
  size_t bytes_ = 0;
  size_t k_stride_ = 0;
  size_t v_stride_ = 0;
  std::vector<size_t> k_offset_;
  std::vector<size_t> v_offset_;
  AlignedBuffer<uint8_t> store_;
};

}  // namespace smallmind
