// Scores of a tile of queries against a block's keys, and their softmax weights.
//
// Two layouts. By query ([query][position]): tiles of 4 positions × 4 queries whose lanes are
// elements of the head (tile-inl.h); for few queries and any head size. Across queries
// ([position][query], 16 or 32 of them): the queries are transposed once, a lane is a query, a
// key's element is broadcast. Each of the contract's 16 partial sums is then a register of its own,
// and its tree is 15 vertical additions a position instead of 45 shuffles and additions for 16
// sums. Two registers of queries share a broadcast, for loads would else be the limit: in L1, one
// thread of Emerald Rapids, 114 GFLOP/s with one and 138 with two, of 173. Both layouts give the
// contract's bits. Tested through attention_test.cc.
#if defined(SMALLMIND_ENGINE_KERNELS_ATTENTION_SCORES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_ATTENTION_SCORES_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_ATTENTION_SCORES_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_ATTENTION_SCORES_INL_H_
#endif

#include <algorithm>
#include <limits>

#include "engine/kernels/attention.h"
#include "engine/kernels/kv_rows-inl.h"
#include "engine/kernels/math-inl.h"
#include "engine/kernels/tile-inl.h"
#include "hwy/highway.h"

#ifndef SMALLMIND_ENGINE_KERNELS_ATTENTION_SCORES_ONCE_
#define SMALLMIND_ENGINE_KERNELS_ATTENTION_SCORES_ONCE_
namespace smallmind {
inline constexpr size_t kQueryTile = 32;  // at most
inline constexpr size_t kRun = 64;        // positions whose keys, then values, stay in L1
}  // namespace smallmind
#endif

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace {

// Queries across: one or two V16 of them, as registers allow.
constexpr size_t kMostAcross = kLanes == 16 ? 2 * kVirtualLanes : kVirtualLanes;

// Fewer than four idle lanes cost less than another layout.
constexpr bool Fills(size_t queries, size_t width) { return queries + kTile > width; }

// Queries of the next tile where `left` are left.
HWY_INLINE size_t NextQueries(size_t left) {
  return std::min(left, Fills(left, kMostAcross) ? kMostAcross : kVirtualLanes);
}

constexpr float kMinusInf = -std::numeric_limits<float>::infinity();

// Visible positions of a query within a block, relative to the block; empty where hi ≤ lo.
struct Visible {
  size_t lo = 0;
  size_t hi = 0;
};

HWY_INLINE Visible VisibleIn(const AttentionQuery& query, size_t block_begin) {
  const size_t end = query.pos + 1;
  if (end <= block_begin || query.first >= block_begin + kAttnBlock) return {0, 0};
  return {std::max(query.first, block_begin) - block_begin,
          std::min(end - block_begin, kAttnBlock)};
}

HWY_INLINE Visible Union(Visible a, Visible b) {
  if (a.hi == 0) return b;
  if (b.hi == 0) return a;
  return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)};
}

HWY_INLINE Visible Union(const Visible* seen, size_t n) {
  Visible all;
  for (size_t i = 0; i < n; ++i) all = Union(all, seen[i]);
  return all;
}

// Up to kMostAcross queries of a call and one block: what each sees of it (the last one's again in
// empty places), and what any sees.
struct QueryTile {
  const AttentionQuery* queries;
  size_t count;
  Visible seen[kQueryTile];
  Visible all;
  // So few that F16 rows are better widened for every group of queries than stored and read again.
  bool few() const { return count <= 2 * kTile; }
  // Lanes of the layout across queries.
  size_t width() const { return count > kVirtualLanes ? kMostAcross : kVirtualLanes; }
};

// scores[q][p] = scale·dot for kQ ≤ 4 queries and positions [lo, hi), of which those from `open` on
// can be read; what is written around them, to whole groups of 4, nobody sees.
template <size_t kQ, class T>
HWY_NOINLINE void ScoreRun(const float* const* q, size_t head_dim, KvRows<T> k, size_t open,
                           size_t lo, size_t hi, float scale, float* HWY_RESTRICT scores) {
  const V16 vs = Set16(scale);
  for (size_t p = lo / kTile * kTile; p < hi; p += kTile) {
    const T* rows[kTile];
    for (size_t i = 0; i < kTile; ++i) {
      rows[i] = Apart(k.Row(std::max(open, std::min(p + i, hi - 1))));
    }
    StoreBlocks(Mul16(Tile<kQ>(rows, q, head_dim), vs), scores + p, kAttnBlock);
  }
}

// The same for one query, in groups of 16 positions.
template <class T>
HWY_NOINLINE void ScoreRunAlone(const float* const* q, size_t head_dim, KvRows<T> k, size_t open,
                                size_t lo, size_t hi, float scale, float* HWY_RESTRICT scores) {
  const V16 vs = Set16(scale);
  for (size_t p = lo / kVirtualLanes * kVirtualLanes; p < hi; p += kVirtualLanes) {
    V16 acc[kVirtualLanes];
    for (size_t i = 0; i < kTile; ++i) {  // Reduce16 sends accumulator 4i + j to lane 4j + i
      const T* rows[kTile];
      for (size_t j = 0; j < kTile; ++j) {
        rows[j] = Apart(k.Row(std::max(open, std::min(p + kTile * j + i, hi - 1))));
      }
      SubTile<kTile, 1>(rows, q, head_dim, acc + kTile * i, 1);
    }
    Store16(Mul16(Reduce16(acc), vs), scores + p);
  }
}

// Of kVectors V16 of queries: partial sums that run side by side, and positions, in 16 accumulators
// of V16, or 4 where one is several registers.
template <size_t kVectors>
constexpr size_t kAcrossLanes = kLanes == 16 ? 4 / kVectors : 2;
constexpr size_t kAcrossRows = kLanes == 16 ? 4 : 2;

// out[element][query] = q[query][element] of `width` queries, in squares of 4 × 4.
HWY_NOINLINE void TransposeQueries(const float* const* q, size_t width, size_t head_dim,
                                   float* HWY_RESTRICT out) {
  const hn::FixedTag<float, 4> d;
  const hn::Repartition<double, decltype(d)> dd;
  for (size_t i = 0; i < width; i += 4) {
    for (size_t e = 0; e < head_dim; e += 4) {
      const auto a = hn::LoadU(d, q[i] + e), b = hn::LoadU(d, q[i + 1] + e);
      const auto c = hn::LoadU(d, q[i + 2] + e), f = hn::LoadU(d, q[i + 3] + e);
      const auto ab0 = hn::BitCast(dd, hn::InterleaveLower(d, a, b));
      const auto ab2 = hn::BitCast(dd, hn::InterleaveUpper(d, a, b));
      const auto cf0 = hn::BitCast(dd, hn::InterleaveLower(d, c, f));
      const auto cf2 = hn::BitCast(dd, hn::InterleaveUpper(d, c, f));
      float* to = out + e * width + i;
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(dd, ab0, cf0)), d, to);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(dd, ab0, cf0)), d, to + width);
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(dd, ab2, cf2)), d, to + 2 * width);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(dd, ab2, cf2)), d, to + 3 * width);
    }
  }
}

HWY_INLINE V16 Broadcast16(float x, bool shared) {
  const V16 v = Set16(x);
  return shared ? InRegisters(v) : v;
}

// out[p·kVectors + j]: the tree's node over the virtual lanes lane, lane + kApart, … of vector j's
// products with rows[p].
template <size_t kVectors, size_t kApart>
HWY_INLINE void LaneSums(const float* const* rows, const float* HWY_RESTRICT across,
                         size_t head_dim, size_t lane, V16* HWY_RESTRICT out) {
  constexpr size_t kSums = kAcrossRows * kVectors, kSide = kAcrossLanes<kVectors>;
  if constexpr (kVirtualLanes / kApart > kSide) {
    V16 far[kSums];
    LaneSums<kVectors, 2 * kApart>(rows, across, head_dim, lane, out);
    LaneSums<kVectors, 2 * kApart>(rows, across, head_dim, lane + kApart, far);
    HWY_UNROLL(8)
    for (size_t i = 0; i < kSums; ++i) out[i] = Add16(out[i], far[i]);
  } else {
    V16 acc[kSide][kSums];
    HWY_UNROLL(4)
    for (size_t c = 0; c < kSide; ++c) {
      HWY_UNROLL(8)
      for (size_t i = 0; i < kSums; ++i) acc[c][i] = Zero16();
    }
    for (size_t e = lane; e < head_dim; e += kVirtualLanes) {
      HWY_UNROLL(4)
      for (size_t c = 0; c < kSide; ++c) {
        V16 q[kVectors];
        HWY_UNROLL(2)
        for (size_t j = 0; j < kVectors; ++j) {
          q[j] = Load16(across + ((e + c * kApart) * kVectors + j) * kVirtualLanes);
        }
        HWY_UNROLL(4)
        for (size_t p = 0; p < kAcrossRows; ++p) {
          const V16 key = Broadcast16(rows[p][e + c * kApart], kVectors > 1);
          HWY_UNROLL(2)
          for (size_t j = 0; j < kVectors; ++j) {
            V16& sum = acc[c][p * kVectors + j];
            sum = MulAdd16(q[j], key, sum);
          }
        }
      }
    }
    HWY_UNROLL(8)
    for (size_t i = 0; i < kSums; ++i) {
      if constexpr (kSide == 4) {
        out[i] = Add16(Add16(acc[0][i], acc[2][i]), Add16(acc[1][i], acc[3][i]));
      } else {
        out[i] = Add16(acc[0][i], acc[1][i]);
      }
    }
  }
}

// scores[p][q] = scale·dot for all queries of kVectors V16 and positions [lo, hi). head_dim: a
// multiple of 16.
template <size_t kVectors>
HWY_NOINLINE void ScoreAcross(const float* across, size_t head_dim, KvRows<> k, size_t lo,
                              size_t hi, float scale, float* HWY_RESTRICT scores) {
  constexpr size_t kWidth = kVectors * kVirtualLanes;
  const V16 vs = Set16(scale);
  for (size_t p = lo; p < hi; p += kAcrossRows) {
    const float* rows[kAcrossRows];
    HWY_UNROLL(4)
    for (size_t i = 0; i < kAcrossRows; ++i) rows[i] = Apart(k.Row(std::min(p + i, hi - 1)));
    V16 sums[kAcrossRows * kVectors];
    LaneSums<kVectors, 1>(rows, across, head_dim, 0, sums);
    for (size_t i = 0; i < kAcrossRows && p + i < hi; ++i) {
      HWY_UNROLL(2)
      for (size_t j = 0; j < kVectors; ++j) {
        Store16(Mul16(sums[i * kVectors + j], vs), scores + (p + i) * kWidth + j * kVirtualLanes);
      }
    }
  }
}

// Turns one query's scores into weights in place; writes m and l.
HWY_INLINE void Weigh(const AttentionShape& shape, Visible seen, float* HWY_RESTRICT scores,
                      float* HWY_RESTRICT m, float* HWY_RESTRICT l) {
  const DF d;
  const size_t begin = seen.lo / kVirtualLanes * kVirtualLanes;
  const size_t end = RoundUp16(seen.hi);
  if (shape.soft_cap != 0.0f) {
    const VF cap = hn::Set(d, shape.soft_cap);
    for (size_t p = begin; p < end; p += kLanes) {
      hn::StoreU(SoftCapOf(d, hn::LoadU(d, scores + p), cap), d, scores + p);
    }
  }
  std::fill(scores + begin, scores + seen.lo, kMinusInf);
  std::fill(scores + seen.hi, scores + end, kMinusInf);
  VF top = hn::Set(d, kMinusInf);
  for (size_t p = begin; p < end; p += kLanes) top = hn::Max(top, hn::LoadU(d, scores + p));
  *m = hn::ReduceMax(d, top);
  const VF vm = hn::Set(d, *m);
  V16 sum = Zero16();
  for (size_t p = begin; p < end; p += kVirtualLanes) {
    for (size_t i = 0; i < kRegs; ++i) {
      const VF w = Exp(d, hn::Sub(hn::LoadU(d, scores + p + i * kLanes), vm));
      hn::StoreU(w, d, scores + p + i * kLanes);
      sum.r[i] = hn::Add(sum.r[i], w);
    }
  }
  *l = Sum16(sum);
}

// Turns the scores of a tile across queries, all of which see some of the block, into weights in
// place.
HWY_NOINLINE void WeighAcross(const AttentionShape& shape, const QueryTile& tile,
                              float* HWY_RESTRICT scores, float* HWY_RESTRICT m,
                              float* HWY_RESTRICT l) {
  const DF d;
  const Visible all = tile.all;
  const size_t width = tile.width();
  Visible every{all.lo, all.hi};
  HWY_ALIGN float first[kMostAcross], last[kMostAcross];
  for (size_t i = 0; i < width; ++i) {
    every = {std::max(every.lo, tile.seen[i].lo), std::min(every.hi, tile.seen[i].hi)};
    first[i] = static_cast<float>(tile.seen[i].lo);
    last[i] = static_cast<float>(tile.seen[i].hi) - 1.0f;
  }
  if (every.lo >= every.hi) every = {all.hi, all.hi};
  const size_t begin = all.lo / kVirtualLanes * kVirtualLanes, end = RoundUp16(all.hi);
  std::fill(scores + begin * width, scores + all.lo * width, kMinusInf);
  std::fill(scores + all.hi * width, scores + end * width, kMinusInf);
  if (shape.soft_cap != 0.0f) {
    const VF cap = hn::Set(d, shape.soft_cap);
    for (size_t i = all.lo * width; i < all.hi * width; i += kLanes) {
      hn::StoreU(SoftCapOf(d, hn::LoadU(d, scores + i), cap), d, scores + i);
    }
  }
  for (size_t r = 0; r < width; r += kLanes) {
    float* HWY_RESTRICT column = scores + r;
    const VF lo = hn::LoadU(d, first + r), hi = hn::LoadU(d, last + r);
    VF top = hn::Set(d, kMinusInf);
    const auto where_seen = [&](size_t from, size_t to) HWY_ATTR {
      for (size_t p = from; p < to; ++p) {
        const VF at = hn::Set(d, static_cast<float>(p));
        const auto sees = hn::And(hn::Ge(at, lo), hn::Le(at, hi));
        float* score = column + p * width;
        const VF seen = hn::IfThenElse(sees, hn::LoadU(d, score), hn::Set(d, kMinusInf));
        hn::StoreU(seen, d, score);
        top = hn::Max(top, seen);
      }
    };
    where_seen(all.lo, every.lo);
    where_seen(every.hi, all.hi);
    VF second = top;  // a maximum takes as long as four loads
    size_t p = every.lo;
    for (; p + 1 < every.hi; p += 2) {
      top = hn::Max(top, hn::LoadU(d, column + p * width));
      second = hn::Max(second, hn::LoadU(d, column + (p + 1) * width));
    }
    if (p < every.hi) top = hn::Max(top, hn::LoadU(d, column + p * width));
    top = hn::Max(top, second);
    hn::StoreU(top, d, m + r);
    HWY_ALIGN float sums[kVirtualLanes * kLanes] = {};
    for (p = begin; p < end; p += kVirtualLanes) {
      for (size_t i = 0; i < kVirtualLanes; ++i) {
        float* at = column + (p + i) * width;
        const VF w = Exp(d, hn::Sub(hn::LoadU(d, at), top));
        hn::StoreU(w, d, at);
        hn::StoreU(hn::Add(hn::LoadU(d, sums + i * kLanes), w), d, sums + i * kLanes);
      }
    }
    for (size_t half = kVirtualLanes / 2; half != 0; half /= 2) {
      for (size_t i = 0; i < half * kLanes; i += kLanes) {
        hn::StoreU(hn::Add(hn::LoadU(d, sums + i), hn::LoadU(d, sums + i + half * kLanes)), d,
                   sums + i);
      }
    }
    hn::StoreU(hn::LoadU(d, sums), d, l + r);
  }
}

// Scores of a tile's positions [begin, end) by query.
template <class T>
HWY_INLINE void ScoreTile(const AttentionShape& shape, const QueryTile& tile, KvRows<T> k,
                          size_t begin, size_t end, float* scores) {
  for (size_t g = 0; g < tile.count; g += kTile, scores += kTile * kAttnBlock) {
    const size_t n = std::min(kTile, tile.count - g);
    const Visible some = Union(tile.seen + g, n);
    const size_t lo = std::max(some.lo, begin), hi = std::min(some.hi, end);
    if (lo >= hi) continue;
    const float* q[kTile];
    for (size_t i = 0; i < n; ++i) q[i] = tile.queries[g + i].q;
    const auto score = n == 1   ? ScoreRunAlone<T>
                       : n == 2 ? ScoreRun<2, T>
                       : n == 3 ? ScoreRun<3, T>
                                : ScoreRun<4, T>;
    score(q, shape.head_dim_k, k, begin, lo, hi, shape.scale, scores);
  }
}

// Few queries are done with a row before the next one is there. Theirs are short runs, each of
// which fetches the keys some runs on and its own values: in one burst a run of 64 they take 1.1
// to 1.3 times as long from memory.
constexpr size_t kShortRun = kVirtualLanes;  // whole groups of ScoreRunAlone
constexpr size_t kLead = 32;                 // positions

HWY_INLINE void Fetch(const uint8_t* base, size_t stride, size_t lo, size_t hi) {
  for (size_t at = lo * stride; at < hi * stride; at += 64) __builtin_prefetch(base + at, 0, 2);
}

// Scores, then weights, of a tile by query, with every query's m and l. `kv` is the block's,
// `panel` has room for a run of widened keys.
void WeightsByQuery(const AttentionShape& shape, const KvHeadView& kv, const QueryTile& tile,
                    float* panel, float* scores, float* m, float* l) {
  const size_t first = tile.all.lo, last = tile.all.hi, step = tile.few() ? kShortRun : kRun;
  if (tile.few()) Fetch(kv.k, kv.k_stride, first, std::min(first + kLead, last));
  for (size_t run = first / step * step; run < last; run += step) {
    const size_t begin = std::max(run, first), end = std::min(run + step, last);
    if (tile.few()) {
      Fetch(kv.k, kv.k_stride, std::min(begin + kLead, last), std::min(end + kLead, last));
      Fetch(kv.v, kv.v_stride, begin, end);
    }
    if (kv.type == DType::kF16 && tile.few()) {
      ScoreTile(shape, tile, HalfRows(kv.k, kv.k_stride), begin, end, scores);
    } else {
      ScoreTile(shape, tile,
                OpenRows(kv.type, kv.k, kv.k_stride, shape.head_dim_k, begin, end, panel), begin,
                end, scores);
    }
  }
  for (size_t i = 0; i < tile.count; ++i) {
    m[i] = kMinusInf;
    l[i] = 0.0f;
    if (tile.seen[i].hi != 0) Weigh(shape, tile.seen[i], scores + i * kAttnBlock, &m[i], &l[i]);
  }
}

HWY_INLINE bool WorthALaneEach(const AttentionShape& shape, const QueryTile& tile) {
  bool every = Fills(tile.count, tile.width()) && shape.head_dim_k % kVirtualLanes == 0;
  for (size_t i = 0; i < tile.count; ++i) every = every && tile.seen[i].hi != 0;
  return every;
}

// The same across queries; `across` holds the transposed queries.
void WeightsAcross(const AttentionShape& shape, const KvHeadView& kv, const QueryTile& tile,
                   float* panel, float* across, float* scores, float* m, float* l) {
  const size_t width = tile.width();
  const float* q[kMostAcross];
  for (size_t i = 0; i < width; ++i) q[i] = tile.queries[std::min(i, tile.count - 1)].q;
  TransposeQueries(q, width, shape.head_dim_k, across);
  const auto score =
      width == kVirtualLanes ? ScoreAcross<1> : ScoreAcross<kMostAcross / kVirtualLanes>;
  for (size_t run = tile.all.lo / kRun * kRun; run < tile.all.hi; run += kRun) {
    const size_t begin = std::max(run, tile.all.lo), end = std::min(run + kRun, tile.all.hi);
    const KvRows<> k = OpenRows(kv.type, kv.k, kv.k_stride, shape.head_dim_k, begin, end, panel);
    score(across, shape.head_dim_k, k, begin, end, shape.scale, scores);
  }
  WeighAcross(shape, tile, scores, m, l);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // SMALLMIND_ENGINE_KERNELS_ATTENTION_SCORES_INL_H_
