// F32, F16 and BF16 weights × float activations.
//
// One token: row after row, a stream from memory, with one reduction for four rows. More tokens:
// tiles of 4 rows × 6 tokens, 24 accumulators of 16 lanes: ten loads for 24 products, below
// which Zen 4's FMA units starve (4 × 4 reaches 77 % of their rate, 4 × 6 all of it). Activations
// are read where they are: ten streams a tile (copies of them interleaved, made for every 64 rows,
// cost 3 to 10 %). Weights are read from memory once for 96 tokens, ahead of their use. F16 widens
// on load, BF16 runs on pair dots (order.h, 2b). Every result is the same dot product whatever the
// tile: tested in matmul_float_test.cc to the bit.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_INL_H_
#endif

#include <algorithm>
#include <type_traits>

#include "engine/kernels/matmul.h"
#include "engine/kernels/matmul_float.h"
#include "engine/kernels/tile-inl.h"
#include "hwy/highway.h"

#ifndef SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_ONCE_
#define SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_ONCE_
namespace smallmind {
inline constexpr size_t kVecBytes = 16 << 10;  // activations that leave L1 room for a stream
inline constexpr size_t kGrain = 32;           // rows; an activation block, for what consumes them
inline constexpr size_t kPanelBytes = 512 << 10;  // weights that stay in L2 for some tokens
inline constexpr size_t kPanelRows = 64;    // but at least so many, for which a tile stays close
inline constexpr size_t kBlockTokens = 96;  // as often are weights used for each read from memory
}  // namespace smallmind
#endif

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace {

using DU = hn::RebindToUnsigned<DF>;

// One stream at a time, row after row, is what the memory prefetchers follow best: 0.95 to 1.1 of
// the speed of plain reading on Zen 4, four rows abreast 0.5 to 0.7. Where the activations crowd
// the weights out of L1, four rows abreast read them a quarter as often and win.
template <class W, class X>
HWY_NOINLINE void MatVec(const WeightView& w, size_t row_begin, size_t row_end, const X* x,
                         float* out) {
  const bool abreast = w.cols * sizeof(X) > kVecBytes;
  for (size_t r = row_begin; r < row_end; r += kTile) {
    const size_t n = std::min(kTile, row_end - r);
    const W* rows[kTile];
    for (size_t i = 0; i < kTile; ++i) {
      rows[i] = Apart(reinterpret_cast<const W*>(w.Row(r + std::min(i, n - 1))));
    }
    V16 acc[kTile];
    if (abreast) {
      SubTile<kTile, 1>(rows, &x, w.cols, acc, 1);
    } else {
      for (size_t i = 0; i < kTile; ++i) SubTile<1, 1>(rows + i, &x, w.cols, acc + i, 1);
    }
    float sums[kTile];
    Reduce4(acc, sums);
    std::copy(sums, sums + n, out + r - row_begin);
  }
}

void RoundRowToBf16T(const float* x, size_t cols, uint16_t* HWY_RESTRICT out) {
  const DU du;
  const hn::Rebind<uint16_t, DU> d16;
  const DF df;
  size_t k = 0;
  for (; k < cols; k += kLanes) {
    const VF v = cols - k >= kLanes ? hn::LoadU(df, x + k) : hn::LoadN(df, x + k, cols - k);
    const auto bits = hn::BitCast(du, v);
    const auto even = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1));
    const auto up = hn::Add(hn::Add(bits, hn::Set(du, 0x7FFF)), even);
    // A NaN whose payload would be cut off must not become infinite.
    const auto quiet = hn::Or(bits, hn::Set(du, 0x400000));
    const auto kept = hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(v)), quiet, up);
    const auto narrow = hn::TruncateTo(d16, hn::ShiftRight<16>(kept));
    if (cols - k >= kLanes) {
      hn::StoreU(narrow, d16, out + k);
    } else {
      hn::StoreN(narrow, d16, out + k, cols - k);
    }
  }
  for (k = cols; k < Bf16Cols(cols); ++k) out[k] = 0;
}

// Four rows × kTileTokens tokens in registers; narrower targets have registers for half by half of
// it.
constexpr size_t kTileRows = kLanes == 16 ? 4 : 2;
constexpr size_t kTileTokens = kLanes == 16 ? 6 : 2;

// What the weights of a type multiply.
HWY_INLINE const float* ActRow(const float*, const FloatRows& x, size_t t) { return x.Row(t); }
HWY_INLINE const float* ActRow(const hwy::float16_t*, const FloatRows& x, size_t t) {
  return x.Row(t);
}
HWY_INLINE const Bf16* ActRow(const Bf16*, const FloatRows& x, size_t t) {
  return reinterpret_cast<const Bf16*>(x.bf16 + t * x.bf16_stride);
}

// Asks for the next panel's rows, a few lines at a time, while this one is used.
struct Prefetcher {
  const uint8_t* row;
  size_t row_bytes, rows_left, lines, at = 0;
  HWY_INLINE Prefetcher(const uint8_t* first, size_t bytes, size_t rows, size_t calls)
      : row(first), row_bytes(bytes), rows_left(rows), lines(rows * (bytes / 64 + 1) / calls + 1) {}
  HWY_INLINE void Some() {
    for (size_t i = 0; i < lines && rows_left != 0; ++i) {
      __builtin_prefetch(row + at, 0, 2);  // to L2
      at += 64;
      if (at < row_bytes) continue;
      at = 0;
      row += row_bytes;
      --rows_left;
    }
  }
};

// kTileRows × kTileTokens over all n columns, into out[token][row].
template <class W, class X>
HWY_INLINE void TileProduct(const W* const* HWY_RESTRICT w, const X* const* HWY_RESTRICT x,
                            size_t n, float* HWY_RESTRICT out, size_t out_stride, size_t n_rows,
                            size_t n_tokens) {
  V16 acc[kTileRows * kTileTokens];
  HWY_UNROLL(24)
  for (size_t i = 0; i < kTileRows * kTileTokens; ++i) acc[i] = Zero16();
  size_t k = 0;
  for (; k + kStep<W> <= n; k += kStep<W>) {
    V16 act[kTileTokens];
    HWY_UNROLL(6)
    for (size_t t = 0; t < kTileTokens; ++t) act[t] = InRegisters(LoadStep(x[t] + k));
    HWY_UNROLL(4)
    for (size_t r = 0; r < kTileRows; ++r) {
      HWY_UNROLL(6)
      for (size_t t = 0; t < kTileTokens; ++t) {
        acc[r * kTileTokens + t] = Step(w[r] + k, act[t], acc[r * kTileTokens + t]);
      }
    }
  }
  if (HWY_UNLIKELY(k < n)) {
    HWY_UNROLL(4)
    for (size_t r = 0; r < kTileRows; ++r) {
      HWY_UNROLL(6)
      for (size_t t = 0; t < kTileTokens; ++t) {
        acc[r * kTileTokens + t] = Tail(w[r] + k, x[t] + k, n - k, acc[r * kTileTokens + t]);
      }
    }
  }
  HWY_ALIGN float sums[2 * kVirtualLanes];  // [token][4 rows]
  if constexpr (kTileRows == 4) {
    V16 fold[4];
    HWY_UNROLL(4)
    for (size_t r = 0; r < 4; ++r) {
      const V16* a = acc + r * kTileTokens;
      fold[r] = Fold4(a[0], a[1], a[2], a[3]);
    }
    Store16(Finish4(fold[0], fold[1], fold[2], fold[3]), sums);
    // Tokens 4 and 5: eight sums in two folds; places 0 and 1 of each block of 4 hold two rows.
    const V16* a = acc + 4;
    const V16 even = Fold4(a[0], a[2 * kTileTokens], a[1], a[2 * kTileTokens + 1]);
    a += kTileTokens;
    const V16 odd = Fold4(a[0], a[2 * kTileTokens], a[1], a[2 * kTileTokens + 1]);
    HWY_ALIGN float pairs[kVirtualLanes];
    Store16(Finish4(even, odd, even, odd), pairs);
    for (size_t i = 0; i < 4; ++i) {
      hwy::CopyBytes<2 * sizeof(float)>(pairs + 4 * i, sums + kVirtualLanes + 2 * i);
    }
  } else {
    float four[4];  // [row][token]
    Reduce4(acc, four);
    for (size_t i = 0; i < 4; ++i) sums[i % 2 * 4 + i / 2] = four[i];
  }
  if (HWY_LIKELY(n_rows == kTileRows)) {
    for (size_t t = 0; t < n_tokens; ++t) {
      hwy::CopyBytes<kTileRows * sizeof(float)>(sums + 4 * t, out + t * out_stride);
    }
  } else {
    for (size_t t = 0; t < n_tokens; ++t) {
      for (size_t r = 0; r < n_rows; ++r) out[t * out_stride + r] = sums[4 * t + r];
    }
  }
}

// Rows [begin, end) × tokens [first, first + n_tokens), at most kBlockTokens; out is where row
// `begin` of token 0 goes.
template <class W>
HWY_NOINLINE void Panel(const WeightView& w, size_t begin, size_t end, const FloatRows& x,
                        size_t first, size_t n_tokens, float* out, size_t out_stride) {
  const size_t tiles = (n_tokens + kTileTokens - 1) / kTileTokens;
  const size_t groups = (end - begin + kTileRows - 1) / kTileRows;
  // With one or two tiles, the rows stream through by themselves.
  Prefetcher weights(w.Row(end), w.row_bytes, tiles > 2 ? std::min(end - begin, w.rows - end) : 0,
                     tiles * groups);
  for (size_t tile = 0; tile < tiles; ++tile) {
    const size_t t = first + tile * kTileTokens;
    const size_t n_toks = std::min(kTileTokens, first + n_tokens - t);
    decltype(ActRow(static_cast<const W*>(nullptr), x, 0)) acts[kTileTokens];
    for (size_t i = 0; i < kTileTokens; ++i) {
      acts[i] = Apart(ActRow(static_cast<const W*>(nullptr), x, t + std::min(i, n_toks - 1)));
    }
    for (size_t r = begin; r < end; r += kTileRows) {
      const size_t n_rows = std::min(kTileRows, end - r);
      const W* rows[kTileRows];
      for (size_t i = 0; i < kTileRows; ++i) {
        rows[i] = Apart(reinterpret_cast<const W*>(w.Row(r + std::min(i, n_rows - 1))));
      }
      weights.Some();
      TileProduct(rows, acts, w.cols, out + t * out_stride + r - begin, out_stride, n_rows, n_toks);
    }
  }
}

template <class W>
HWY_INLINE void MatMulOf(const WeightView& w, size_t row_begin, size_t row_end, const FloatRows& x,
                         float* out, size_t out_stride) {
  const size_t blocks = (x.n_tokens + kBlockTokens - 1) / kBlockTokens;
  const size_t even = (x.n_tokens + blocks - 1) / blocks;
  const size_t block = (even + kTileTokens - 1) / kTileTokens * kTileTokens;
  const size_t rows = std::max(kPanelRows, kPanelBytes / w.row_bytes / kTile * kTile);
  for (size_t t = 0; t < x.n_tokens; t += block) {
    const size_t n_tokens = std::min(block, x.n_tokens - t);
    for (size_t r = row_begin; r < row_end; r += rows) {
      Panel<W>(w, r, std::min(r + rows, row_end), x, t, n_tokens, out + r - row_begin, out_stride);
    }
  }
}

template <class W>
HWY_INLINE void RunRows(const WeightView& w, size_t row_begin, size_t row_end, const FloatRows& x,
                        float* out, size_t out_stride) {
  if (x.n_tokens == 1) {
    MatVec<W>(w, row_begin, row_end, ActRow(static_cast<const W*>(nullptr), x, 0), out);
  } else {
    MatMulOf<W>(w, row_begin, row_end, x, out, out_stride);
  }
}

void MatMulFloatT(const WeightView& w, size_t row_begin, size_t row_end, const FloatRows& x,
                  float* out, size_t out_stride) {
  if (w.type == DType::kF16) {
    RunRows<hwy::float16_t>(w, row_begin, row_end, x, out, out_stride);
  } else if (w.type == DType::kBF16) {
    RunRows<Bf16>(w, row_begin, row_end, x, out, out_stride);
  } else {
    RunRows<float>(w, row_begin, row_end, x, out, out_stride);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace smallmind {

HWY_EXPORT(MatMulFloatT);
HWY_EXPORT(RoundRowToBf16T);

size_t FloatMatMulRowGrain(const WeightView& w, size_t n_tokens) {
  // One token: 64 KiB of weights a call, so that a slow thread holds nobody for long. More: about
  // 16 calls a matrix, and the least panel at most: what a feed-forward makes of it stays in L2.
  const size_t rows = n_tokens == 1 ? (size_t{64} << 10) / (w.row_bytes + 1) : w.rows / 16;
  const size_t most = n_tokens == 1 ? w.rows : kPanelRows;
  return std::max(kGrain, std::min(rows, most) / kGrain * kGrain);
}

void RoundRowToBf16(const float* x, size_t cols, uint16_t* out) {
  HWY_DYNAMIC_DISPATCH(RoundRowToBf16T)(x, cols, out);
}

void MatMul(const WeightView& w, size_t row_begin, size_t row_end, const FloatRows& x, float* out,
            size_t out_stride) {
  if (row_begin >= row_end || x.n_tokens == 0) return;
  HWY_DYNAMIC_DISPATCH(MatMulFloatT)(w, row_begin, row_end, x, out, out_stride);
}

}  // namespace smallmind
#endif  // HWY_ONCE

#endif  // toggle
