// Keys and values of one sequence: per layer and KV head a run of positions, in F32, F16 or Q8_0.
//
// Layout: [layer][kv head][position][head_dim], keys and values apart, so that one head's attention
// streams contiguous memory. A layer that sees a window alone keeps a ring of whole blocks of 256
// positions: block b lies in place b mod ring, and the ring holds what the window of a pass's first
// token and the pass itself span, or the whole context where that is less.
// Memory is reserved at once but pages are touched only when written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/runtime/aligned_buffer.h"
#include "engine/tensor/dtype.h"

namespace smallmind {

inline constexpr size_t kKvBlock = 256;  // positions

struct KvShape {
  DType type = DType::kF32;
  size_t n_layers = 0;
  size_t n_kv_heads = 0;
  size_t head_dim_k = 0;
  size_t head_dim_v = 0;
  size_t context = 0;                     // positions a sequence may have
  size_t window = 0;                      // positions a windowed layer sees, its own included
  std::vector<bool> layer_windowed = {};  // n_layers, or empty: none
  size_t batch = SIZE_MAX;                // most positions that one pass appends
};

class KvCache {
 public:
  // Throws InputError where the type does not divide a head or the size passes 64 bits.
  explicit KvCache(const KvShape& shape);

  const KvShape& shape() const { return shape_; }
  size_t length() const { return length_; }  // positions filled
  size_t context() const { return shape_.context; }
  size_t bytes() const { return store_.size(); }
  // Any length may be set. Where Claim then finds that a ring has overwritten what the next
  // position sees, the sequence must go back further, to a length of 0 if need be.
  void set_length(size_t n) { length_ = n; }

  // A pass will write positions [begin, end) and read what they see. Throws InputError where they
  // are more than the shape's batch or what they see was overwritten; then nothing has changed.
  void Claim(size_t begin, size_t end);

  size_t k_stride() const { return k_stride_; }  // bytes between positions of a head
  size_t v_stride() const { return v_stride_; }
  // Positions that the layer keeps where it is a ring: position p lies at p mod ring. 0: all of
  // them.
  size_t ring(size_t layer) const { return IsRing(layer) ? ring_ : 0; }
  uint8_t* K(size_t layer, size_t head) {
    return store_.data() + layer_begin_[layer] + head * Head(layer).k;
  }
  uint8_t* V(size_t layer, size_t head) {
    const HeadBytes bytes = Head(layer);
    return store_.data() + layer_begin_[layer] + shape_.n_kv_heads * bytes.k + head * bytes.v;
  }
  // Where a position's key and value are.
  uint8_t* KeyAt(size_t layer, size_t head, size_t pos) {
    return K(layer, head) + Place(layer, pos) * k_stride_;
  }
  uint8_t* ValueAt(size_t layer, size_t head, size_t pos) {
    return V(layer, head) + Place(layer, pos) * v_stride_;
  }

 private:
  struct HeadBytes {
    size_t k = 0;
    size_t v = 0;
  };

  bool IsRing(size_t layer) const { return ring_ != 0 && shape_.layer_windowed[layer]; }
  size_t Place(size_t layer, size_t pos) const { return IsRing(layer) ? pos % ring_ : pos; }
  HeadBytes Head(size_t layer) const { return IsRing(layer) ? ring_head_ : whole_head_; }

  KvShape shape_;
  size_t length_ = 0;
  size_t written_ = 0;  // end of the furthest position written since position 0 was
  size_t ring_ = 0;     // positions; 0: no layer is a ring
  size_t k_stride_ = 0;
  size_t v_stride_ = 0;
  HeadBytes whole_head_, ring_head_;  // of one head
  std::vector<size_t> layer_begin_;   // bytes
  AlignedBuffer<uint8_t> store_;
};

}  // namespace smallmind
