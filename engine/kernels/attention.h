// Attention of query rows over a KV cache in one pass: online softmax in a fixed order.
//
// Positions are visited in blocks of kAttnBlock aligned to absolute position; per block: scores (float dot of
// order.h), block maximum, exp, sums in virtual lanes, rescale of the running output. A query's result depends
// only on its own visible positions: not on batch, tile or thread. Pure, single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/tensor/dtype.h"

namespace smallmind {

inline constexpr size_t kAttnBlock = 64;  // positions

// One KV head's cache: position p's key is `head_dim` elements at k + p*k_stride bytes.
// type is F32, F16 or Q8_0 (head_dim a multiple of 32 for Q8_0).
struct KvHeadView {
  DType type = DType::kF32;
  const uint8_t* k = nullptr;
  const uint8_t* v = nullptr;
  size_t k_stride = 0;  // bytes between positions
  size_t v_stride = 0;
};

struct AttentionShape {
  size_t head_dim_k = 0;
  size_t head_dim_v = 0;
  float scale = 1.0f;     // multiplies scores
  float soft_cap = 0.0f;  // 0: none; else cap·tanh(score/cap)
};

// One query head at absolute position `pos` sees positions [first, pos]. q has head_dim_k floats, out
// head_dim_v. scratch: AttentionScratchBytes().
struct AttentionQuery {
  const float* q = nullptr;
  float* out = nullptr;
  size_t first = 0;
  size_t pos = 0;
};

size_t AttentionScratchBytes(size_t head_dim_k, size_t head_dim_v, size_t max_queries);

// All queries share one KV head (grouped-query heads and consecutive tokens of a batch), so that each key is
// loaded once for several queries.
void Attention(const AttentionShape& shape, const KvHeadView& kv,
               std::span<const AttentionQuery> queries, std::span<uint8_t> scratch);

// Stores one head's key or value (n floats) at `dst` in the cache's type.
void StoreKv(DType type, const float* x, size_t n, uint8_t* dst);

}  // namespace smallmind
