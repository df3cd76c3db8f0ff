// Attention of query rows over a KV cache in one pass, in a fixed order.
//
// Positions are taken in blocks of kAttnBlock aligned to absolute position. Per block and query:
// scores (float dot of order.h, times scale, soft cap), maximum m, p = exp(score − m), l = Σp in 16
// virtual lanes by position, o = Σ p·v with positions ascending and fma. Blocks are combined in
// ascending order, always pairwise:
//   m' = max(m, mb);  a = exp(m − m'), b = exp(mb − m');  l = fma(b, lb, a·l);  o = fma(b, ob, a·o)
// and the output is o / l. A query's result depends only on its own visible positions: not on
// batch, tile or thread, nor on whether one call takes all blocks or a caller spreads them over
// threads. Pure, single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/kernels/order.h"
#include "engine/tensor/dtype.h"

namespace smallmind {

inline constexpr size_t kAttnBlock = 256;  // positions

// One KV head's cache: position p's key is `head_dim` elements at k + p*k_stride bytes, or in a
// ring at k + (p mod ring)*k_stride. type is F32, F16 or Q8_0 (head_dim a multiple of 32 for Q8_0).
struct KvHeadView {
  DType type = DType::kF32;
  const uint8_t* k = nullptr;
  const uint8_t* v = nullptr;
  size_t k_stride = 0;  // bytes between positions
  size_t v_stride = 0;
  size_t ring = 0;  // 0: none; else positions kept, whole blocks of kAttnBlock
};

struct AttentionShape {
  size_t head_dim_k = 0;
  size_t head_dim_v = 0;
  float scale = 1.0f;     // multiplies scores
  float soft_cap = 0.0f;  // 0: none; else cap·tanh(score/cap)
};

// One query head at absolute position `pos` sees positions [first, pos]. q has head_dim_k floats,
// out head_dim_v. Positions up to the largest `pos` of a call must be stored.
struct AttentionQuery {
  const float* q = nullptr;
  float* out = nullptr;
  size_t first = 0;
  size_t pos = 0;
};

// 64-byte aligned scratch for one thread.
size_t AttentionScratchBytes(size_t head_dim_k, size_t head_dim_v, size_t max_queries);

// All queries share one KV head (grouped-query heads and consecutive tokens of a batch), so that
// each key is loaded once for several queries. Fastest where neighbours in `queries` see nearly the
// same positions.
void Attention(const AttentionShape& shape, const KvHeadView& kv,
               std::span<const AttentionQuery> queries, std::span<uint8_t> scratch);

// The same in two steps, for long contexts and few queries: partials of single blocks (any thread,
// any order), then one combination. A partial is o[head_dim_v], m, l.
inline size_t AttentionPartialFloats(size_t head_dim_v) { return RoundUp16(head_dim_v + 2); }

// Writes query i's partial over block `block` (positions [256·block, 256·block + 256)) to
// partials + i·AttentionPartialFloats(). A query that sees none of the block gets l = 0.
void AttentionBlock(const AttentionShape& shape, const KvHeadView& kv,
                    std::span<const AttentionQuery> queries, size_t block, float* partials,
                    std::span<uint8_t> scratch);

// One query: its n_blocks partials, ascending, `stride` floats apart, into out[head_dim_v].
void AttentionCombine(size_t head_dim_v, const float* partials, size_t n_blocks, size_t stride,
                      float* out);

// Stores one head's key or value (n floats) at `dst` in the cache's type.
void StoreKv(DType type, const float* x, size_t n, uint8_t* dst);

}  // namespace smallmind
