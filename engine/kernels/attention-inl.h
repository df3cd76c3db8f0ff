// Blocks of 256 positions, tiles of 16 or 32 queries.
//
// A compressed cache is widened once a block into scratch, but an F16 one is widened as it is
// loaded where there are few queries; a float32 cache is read in place. Scores and weights of a
// tile are attention_scores-inl.h's; the weighted sum keeps 4 queries × 4 registers of output
// elements and runs over 64 positions at a time, so that their values stay in L1 for all queries of
// a tile. Positions that a query cannot see are never added for it. Tested in attention_test.cc: to
// the bit against the scalar oracle on every target, for any grouping of queries and for the split
// form.
#if defined(SMALLMIND_ENGINE_KERNELS_ATTENTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_ATTENTION_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_ATTENTION_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_ATTENTION_INL_H_
#endif

#include <algorithm>
#include <cstring>
#include <limits>

#include "engine/kernels/attention.h"
#include "engine/kernels/attention_scores-inl.h"
#include "engine/kernels/kv_rows-inl.h"
#include "engine/kernels/math-inl.h"
#include "engine/kernels/tile-inl.h"
#include "hwy/highway.h"

#ifndef SMALLMIND_ENGINE_KERNELS_ATTENTION_ONCE_
#define SMALLMIND_ENGINE_KERNELS_ATTENTION_ONCE_
namespace smallmind {
// Where the parts of one thread's scratch begin, in floats.
struct AttentionLayout {
  AttentionLayout(size_t head_dim_k, size_t head_dim_v)
      : v_panel(kAttnBlock * RoundUp16(head_dim_k)),
        scores(v_panel + kAttnBlock * RoundUp16(head_dim_v)),
        partials(scores + kQueryTile * kAttnBlock),
        across(partials + kQueryTile * AttentionPartialFloats(head_dim_v)),
        running(across + kQueryTile * RoundUp16(head_dim_k)) {}
  size_t v_panel, scores, partials, across, running;
};

struct AttentionScratch {
  AttentionScratch(const AttentionLayout& at, float* base)
      : k_panel(base),
        v_panel(base + at.v_panel),
        scores(base + at.scores),
        partials(base + at.partials),
        across(base + at.across),
        running(base + at.running) {}
  float* k_panel;
  float* v_panel;
  float* scores;    // [query][position] or [position][query]
  float* partials;  // of a tile of queries
  float* across;    // a tile's queries, [element][query]
  float* running;   // m and l of every query
};
}  // namespace smallmind
#endif

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace {

constexpr size_t kValueRegs = kLanes == 16 ? 4 : 2;

// Weight of query q at position p: of[q][p·step].
struct Weights {
  const float* of[kTile];
  size_t step;
  Weights From(size_t q) const { return {{of[q]}, step}; }
};

HWY_INLINE VF LoadAll(const float* p) { return hn::LoadU(DF(), p); }
HWY_INLINE VF LoadAll(const hwy::float16_t* p) { return hn::PromoteTo(DF(), hn::LoadU(DH(), p)); }
HWY_INLINE VF LoadSome(const float* p, size_t n) { return hn::LoadN(DF(), p, n); }
HWY_INLINE VF LoadSome(const hwy::float16_t* p, size_t n) {
  return hn::PromoteTo(DF(), hn::LoadN(DH(), p, n));
}

// o[q][d…] += Σ weights[q][p]·v[p][d…] over [begin, end), kD registers of d from element `d0`.
template <size_t kQ, size_t kD, class T>
HWY_INLINE void AddValues(const Weights& weights, KvRows<T> v, size_t begin, size_t end, size_t d0,
                          size_t n, float* const* o) {
  const DF d;
  VF acc[kQ * kD];
  HWY_UNROLL(4)
  for (size_t q = 0; q < kQ; ++q) {
    HWY_UNROLL(4)
    for (size_t i = 0; i < kD; ++i) acc[q * kD + i] = hn::LoadU(d, o[q] + d0 + i * kLanes);
  }
  for (size_t p = begin; p < end; ++p) {
    const T* row = v.Row(p) + d0;
    VF value[kD];
    HWY_UNROLL(4)
    for (size_t i = 0; i < kD; ++i) {
      value[i] = InRegister(kD == 1 && n < kLanes ? LoadSome(row, n) : LoadAll(row + i * kLanes));
    }
    HWY_UNROLL(4)
    for (size_t q = 0; q < kQ; ++q) {
      const VF w = hn::Set(d, weights.of[q][p * weights.step]);
      HWY_UNROLL(4)
      for (size_t i = 0; i < kD; ++i) acc[q * kD + i] = hn::MulAdd(w, value[i], acc[q * kD + i]);
    }
  }
  HWY_UNROLL(4)
  for (size_t q = 0; q < kQ; ++q) {
    HWY_UNROLL(4)
    for (size_t i = 0; i < kD; ++i) hn::StoreU(acc[q * kD + i], d, o[q] + d0 + i * kLanes);
  }
}

template <size_t kQ, class T>
HWY_NOINLINE void AddValuesRow(const Weights& weights, KvRows<T> v, size_t begin, size_t end,
                               size_t head_dim, float* const* o) {
  if (begin >= end) return;
  size_t d0 = 0;
  for (; d0 + kValueRegs * kLanes <= head_dim; d0 += kValueRegs * kLanes) {
    AddValues<kQ, kValueRegs>(weights, v, begin, end, d0, 0, o);
  }
  for (; d0 < head_dim; d0 += kLanes) {
    AddValues<kQ, 1>(weights, v, begin, end, d0, std::min(kLanes, head_dim - d0), o);
  }
}

// A group of up to 4 queries over [begin, end): together where all see, alone where only some do.
template <class T>
HWY_INLINE void AddValuesGroup(const Weights& weights, const Visible* seen, size_t n, KvRows<T> v,
                               size_t begin, size_t end, size_t head_dim, float* const* o) {
  size_t lo = begin, hi = end;
  for (size_t i = 0; i < n; ++i) {
    lo = std::max(lo, seen[i].lo);
    hi = std::min(hi, seen[i].hi);
  }
  if (lo >= hi) lo = hi = end;
  for (size_t i = 0; i < n; ++i) {
    AddValuesRow<1>(weights.From(i), v, std::max(begin, seen[i].lo), std::min(lo, seen[i].hi),
                    head_dim, o + i);
  }
  const auto add = n == 1   ? AddValuesRow<1, T>
                   : n == 2 ? AddValuesRow<2, T>
                   : n == 3 ? AddValuesRow<3, T>
                            : AddValuesRow<4, T>;
  add(weights, v, lo, hi, head_dim, o);
  for (size_t i = 0; i < n; ++i) {
    AddValuesRow<1>(weights.From(i), v, std::max(hi, seen[i].lo), std::min(end, seen[i].hi),
                    head_dim, o + i);
  }
}

// Adds the values of positions [begin, end) to the partials of a tile.
template <class T>
HWY_INLINE void AddValuesTile(const QueryTile& tile, const float* scores, bool across, KvRows<T> v,
                              size_t begin, size_t end, size_t head_dim, float* partials) {
  const size_t to_query = across ? 1 : kAttnBlock, to_position = across ? tile.width() : 1;
  for (size_t g = 0; g < tile.count; g += kTile) {
    const size_t n = std::min(kTile, tile.count - g);
    Weights weights{{}, to_position};
    float* o[kTile];
    for (size_t i = 0; i < n; ++i) {
      weights.of[i] = scores + (g + i) * to_query;
      o[i] = partials + (g + i) * AttentionPartialFloats(head_dim);
    }
    AddValuesGroup(weights, tile.seen + g, n, v, begin, end, head_dim, o);
  }
}

// Partials of one tile's queries over one block, whose first position is at kv.k and kv.v.
void TilePartials(const AttentionShape& shape, const KvHeadView& kv, const AttentionQuery* queries,
                  size_t n_queries, size_t block_begin, const AttentionScratch& scratch,
                  float* partials) {
  const size_t head_dim = shape.head_dim_v;
  const size_t stride = AttentionPartialFloats(head_dim);
  QueryTile tile{queries, n_queries, {}, {}};
  for (size_t i = 0; i < tile.width(); ++i) {
    tile.seen[i] = VisibleIn(queries[std::min(i, n_queries - 1)], block_begin);
  }
  tile.all = Union(tile.seen, n_queries);
  std::fill(partials, partials + n_queries * stride, 0.0f);
  float m[kQueryTile], l[kQueryTile];
  const bool across = WorthALaneEach(shape, tile);
  if (across) {
    WeightsAcross(shape, kv, tile, scratch.k_panel, scratch.across, scratch.scores, m, l);
  } else {
    WeightsByQuery(shape, kv, tile, scratch.k_panel, scratch.scores, m, l);
  }
  for (size_t run = tile.all.lo / kRun * kRun; run < tile.all.hi; run += kRun) {
    const size_t begin = std::max(run, tile.all.lo), end = std::min(run + kRun, tile.all.hi);
    if (kv.type == DType::kF16 && tile.few()) {
      AddValuesTile(tile, scratch.scores, across, HalfRows(kv.v, kv.v_stride), begin, end, head_dim,
                    partials);
    } else {
      AddValuesTile(tile, scratch.scores, across,
                    OpenRows(kv.type, kv.v, kv.v_stride, head_dim, begin, end, scratch.v_panel),
                    begin, end, head_dim, partials);
    }
  }
  for (size_t i = 0; i < n_queries; ++i) {
    partials[i * stride + head_dim] = m[i];
    partials[i * stride + head_dim + 1] = l[i];
  }
}

HWY_INLINE float ExpOf(float x) { return hn::GetLane(Exp(DF(), hn::Set(DF(), x))); }

// Combines a partial into the running o, m, l: the formula in attention.h.
HWY_INLINE void Combine(const float* HWY_RESTRICT partial, size_t head_dim, float* HWY_RESTRICT o,
                        float& m, float& l) {
  const DF d;
  const float mb = partial[head_dim], lb = partial[head_dim + 1];
  if (lb == 0.0f) return;
  if (l == 0.0f) {
    std::memcpy(o, partial, head_dim * sizeof(float));
    m = mb;
    l = lb;
    return;
  }
  const float top = std::max(m, mb);
  const VF a = hn::Set(d, ExpOf(m - top));
  const VF b = hn::Set(d, ExpOf(mb - top));
  for (size_t i = 0; i < head_dim; i += kLanes) {
    const size_t n = std::min(kLanes, head_dim - i);
    const VF sum = hn::MulAdd(b, hn::LoadN(d, partial + i, n), hn::Mul(a, hn::LoadN(d, o + i, n)));
    hn::StoreN(sum, d, o + i, n);
  }
  l = hn::GetLane(hn::MulAdd(b, hn::Set(d, lb), hn::Mul(a, hn::Set(d, l))));
  m = top;
}

HWY_INLINE void Finish(size_t head_dim, float l, float* o) {
  const DF d;
  const VF vl = hn::Set(d, l);
  for (size_t i = 0; i < head_dim; i += kLanes) {
    const size_t n = std::min(kLanes, head_dim - i);
    hn::StoreN(hn::Div(hn::LoadN(d, o + i, n), vl), d, o + i, n);
  }
}

// The block's rows as TilePartials takes them: where several tiles of queries read a compressed
// cache, it is widened once for all of them.
HWY_INLINE KvHeadView OpenBlock(const AttentionShape& shape, const KvHeadView& kv,
                                std::span<const AttentionQuery> queries, size_t begin,
                                const AttentionScratch& scratch) {
  KvHeadView block = kv;
  const size_t place = kv.ring == 0 ? begin : begin % kv.ring;
  block.k += place * kv.k_stride;
  block.v += place * kv.v_stride;
  if (kv.type == DType::kF32 || queries.size() == NextQueries(queries.size())) return block;
  Visible all;
  for (const AttentionQuery& query : queries) all = Union(all, VisibleIn(query, begin));
  const size_t k_row = RoundUp16(shape.head_dim_k), v_row = RoundUp16(shape.head_dim_v);
  float* k = scratch.k_panel + all.lo * k_row;
  float* v = scratch.v_panel + all.lo * v_row;
  OpenRows(kv.type, block.k, kv.k_stride, shape.head_dim_k, all.lo, all.hi, k);
  OpenRows(kv.type, block.v, kv.v_stride, shape.head_dim_v, all.lo, all.hi, v);
  return {DType::kF32,
          reinterpret_cast<const uint8_t*>(scratch.k_panel),
          reinterpret_cast<const uint8_t*>(scratch.v_panel),
          k_row * sizeof(float),
          v_row * sizeof(float),
          0};
}

void AttentionBlockT(const AttentionShape& shape, const KvHeadView& kv,
                     std::span<const AttentionQuery> queries, size_t block, float* partials,
                     const AttentionScratch& scratch) {
  const size_t begin = block * kAttnBlock;
  const KvHeadView rows = OpenBlock(shape, kv, queries, begin, scratch);
  for (size_t i = 0, n; i < queries.size(); i += n) {
    n = NextQueries(queries.size() - i);
    TilePartials(shape, rows, &queries[i], n, begin, scratch,
                 partials + i * AttentionPartialFloats(shape.head_dim_v));
  }
}

void AttentionT(const AttentionShape& shape, const KvHeadView& kv,
                std::span<const AttentionQuery> queries, const AttentionScratch& scratch) {
  const size_t stride = AttentionPartialFloats(shape.head_dim_v);
  float* m = scratch.running;
  float* l = m + queries.size();
  std::fill(m, m + 2 * queries.size(), 0.0f);
  size_t first = queries[0].first, last = queries[0].pos;
  for (const AttentionQuery& query : queries) {
    first = std::min(first, query.first);
    last = std::max(last, query.pos);
  }
  for (size_t begin = first / kAttnBlock * kAttnBlock; begin <= last; begin += kAttnBlock) {
    const KvHeadView rows = OpenBlock(shape, kv, queries, begin, scratch);
    for (size_t i = 0, n; i < queries.size(); i += n) {
      n = NextQueries(queries.size() - i);
      Visible all;
      for (size_t j = i; j < i + n; ++j) all = Union(all, VisibleIn(queries[j], begin));
      if (all.hi == 0) continue;
      TilePartials(shape, rows, &queries[i], n, begin, scratch, scratch.partials);
      for (size_t j = 0; j < n; ++j) {
        Combine(scratch.partials + j * stride, shape.head_dim_v, queries[i + j].out, m[i + j],
                l[i + j]);
      }
    }
  }
  for (size_t i = 0; i < queries.size(); ++i) Finish(shape.head_dim_v, l[i], queries[i].out);
}

void AttentionCombineT(size_t head_dim_v, const float* partials, size_t n_blocks, size_t stride,
                       float* out) {
  float m = 0.0f, l = 0.0f;
  for (size_t i = 0; i < n_blocks; ++i) Combine(partials + i * stride, head_dim_v, out, m, l);
  Finish(head_dim_v, l, out);
}

void StoreKvT(DType type, const float* x, size_t n, uint8_t* dst) { StoreRow(type, x, n, dst); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace smallmind {

HWY_EXPORT(AttentionT);
HWY_EXPORT(AttentionBlockT);
HWY_EXPORT(AttentionCombineT);
HWY_EXPORT(StoreKvT);

namespace {

AttentionScratch ScratchOf(const AttentionShape& shape, std::span<uint8_t> bytes) {
  return {AttentionLayout(shape.head_dim_k, shape.head_dim_v),
          reinterpret_cast<float*>(bytes.data())};
}

}  // namespace

size_t AttentionScratchBytes(size_t head_dim_k, size_t head_dim_v, size_t max_queries) {
  return (AttentionLayout(head_dim_k, head_dim_v).running + 2 * max_queries) * sizeof(float);
}

void Attention(const AttentionShape& shape, const KvHeadView& kv,
               std::span<const AttentionQuery> queries, std::span<uint8_t> scratch) {
  if (queries.empty()) return;
  HWY_DYNAMIC_DISPATCH(AttentionT)(shape, kv, queries, ScratchOf(shape, scratch));
}

void AttentionBlock(const AttentionShape& shape, const KvHeadView& kv,
                    std::span<const AttentionQuery> queries, size_t block, float* partials,
                    std::span<uint8_t> scratch) {
  if (queries.empty()) return;
  HWY_DYNAMIC_DISPATCH(AttentionBlockT)
  (shape, kv, queries, block, partials, ScratchOf(shape, scratch));
}

void AttentionCombine(size_t head_dim_v, const float* partials, size_t n_blocks, size_t stride,
                      float* out) {
  HWY_DYNAMIC_DISPATCH(AttentionCombineT)(head_dim_v, partials, n_blocks, stride, out);
}

void StoreKv(DType type, const float* x, size_t n, uint8_t* dst) {
  HWY_DYNAMIC_DISPATCH(StoreKvT)(type, x, n, dst);
}

}  // namespace smallmind
#endif  // HWY_ONCE

#endif  // toggle
