// Float products of several tokens: tiles of 4 rows × 6 tokens, 24 accumulators: ten loads for 24
// products, below which Zen 4's FMA units starve (4 × 4 reaches 77 % of their rate, 4 × 6 all of
// it). Targets of 16 registers take 3 × 4: seven loads for twelve (Zen 3, from L1: 91 % of the FMA
// rate, 2 × 6 85 %), and panels of 32 rows end in two.
//
// Where a register has fewer than 16 lanes, a tile goes over its columns once for each of the
// virtual lanes' registers, so that accumulators stay in registers; activations are packed for that
// (acts.h). A panel is cut into blocks of columns, so that what a tile reads of its activations
// stays in L1 for all rows of it; its accumulators wait in memory from one block to the next.
// Each result is the contract's dot product whatever the tile, the panel and the cut: tested in
// matmul_float_test.cc to the bit.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_TILES_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_TILES_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_TILES_INL_H_
#endif

#include <algorithm>
#include <type_traits>

#include "engine/kernels/acts.h"
#include "engine/kernels/float_acts-inl.h"
#include "engine/kernels/in_register-inl.h"
#include "engine/kernels/matmul_float.h"
#include "engine/kernels/matmul_float_panel-inl.h"
#include "engine/kernels/tile-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace {

constexpr size_t kTileRows = k32Registers ? 4 : 3;
constexpr size_t kRestRows = k32Registers ? 4 : 2;  // of a panel's last tile, at the least
constexpr size_t kTileFloats = kTileRows * kTileTokens * kVirtualLanes;

// What the weights of a type multiply.
HWY_INLINE const float* ActRow(const float*, const FloatRows& x, size_t t) { return x.Row(t); }
HWY_INLINE const float* ActRow(const hwy::float16_t*, const FloatRows& x, size_t t) {
  return x.Row(t);
}
HWY_INLINE const Bf16* ActRow(const Bf16*, const FloatRows& x, size_t t) {
  return reinterpret_cast<const Bf16*>(x.bf16 + t * x.bf16_stride);
}

// Where the results of a tile go: out[token·stride + row] of its tokens [first, first + tokens).
struct TileOut {
  float* out;
  size_t stride;
  size_t rows, first, tokens;
};

// The sums of a tile's accumulators, [row][token].
template <size_t kRows>
HWY_INLINE void FinishTile(const V16* HWY_RESTRICT acc, const TileOut& to) {
  HWY_ALIGN float sums[2 * kVirtualLanes];  // [token][4 rows]
  V16 fold[4];
  HWY_UNROLL(4)
  for (size_t i = 0; i < 4; ++i) {
    const V16* a = acc + HWY_MIN(i, kRows - 1) * kTileTokens;
    fold[i] = Fold4(a[0], a[1], a[2], a[3]);
  }
  Store16(Finish4(fold[0], fold[1], fold[2], fold[3]), sums);
  if constexpr (kTileTokens == 6) {
    static_assert(kRows == 4);
    const V16* a = acc + 4;  // tokens 4 and 5
    // Eight sums in two folds; places 0 and 1 of each block of 4 hold two rows.
    const V16 even = Fold4(a[0], a[2 * kTileTokens], a[1], a[2 * kTileTokens + 1]);
    a += kTileTokens;
    const V16 odd = Fold4(a[0], a[2 * kTileTokens], a[1], a[2 * kTileTokens + 1]);
    HWY_ALIGN float pairs[kVirtualLanes];
    Store16(Finish4(even, odd, even, odd), pairs);
    for (size_t i = 0; i < 4; ++i) {
      hwy::CopyBytes<2 * sizeof(float)>(pairs + 4 * i, sums + kVirtualLanes + 2 * i);
    }
  }
  const float* from = sums + 4 * to.first;
  if (HWY_LIKELY(to.rows == kRows)) {
    for (size_t t = 0; t < to.tokens; ++t) {
      hwy::CopyBytes<kRows * sizeof(float)>(from + 4 * t, to.out + t * to.stride);
    }
  } else {
    for (size_t t = 0; t < to.tokens; ++t) {
      for (size_t r = 0; r < to.rows; ++r) to.out[t * to.stride + r] = from[4 * t + r];
    }
  }
}

HWY_INLINE VF LoadFloats(const float* x) { return hn::LoadU(DF(), x); }
HWY_INLINE VF LoadFloats(const hwy::float16_t* x) {
  return hn::PromoteTo(DF(), hn::LoadU(DH(), x));
}
// A register of pairs, as they lie.
HWY_INLINE VF LoadPairs(const Bf16* x) {
  const hn::Repartition<uint16_t, DF> d16;
  return hn::BitCast(DF(), hn::LoadU(d16, reinterpret_cast<const uint16_t*>(x)));
}

// A tile's activations over a block of columns, as a step from column k reads them: of rows, where
// one register holds all 16 lanes, ...
template <class X>
struct RowActs {
  const X* row[kTileTokens];
  HWY_INLINE const X* At(size_t t, size_t k) const { return row[t] + k; }
  HWY_INLINE const RowActs& Part(size_t) const { return *this; }
};
// ... or packed, of one register's part.
struct PackedActs {
  const float* first;  // step
  size_t part_floats;  // from there to the next part
  HWY_INLINE PackedActs Part(size_t i) const { return {first + i * part_floats, part_floats}; }
  HWY_INLINE const float* At(size_t t, size_t k) const {
    if constexpr (kPackedStep % kVirtualLanes == 0) {
      return first + k * (kPackedStep / kVirtualLanes) + t * kLanes;
    } else {
      return first + k / kVirtualLanes * kPackedStep + t * kLanes;
    }
  }
};

// acc[row][token] += weights(row) · acts(token). What there is less of waits in registers. Sixteen
// are just enough for 3 × 4 accumulators, three rows and one token, if nothing is loaded ahead and
// no product overwrites what it is of. GCC 12 does both if let, and one accumulator in memory costs
// a quarter of the speed.
template <size_t kRows, class Weights, class Acts>
HWY_INLINE void Products(Weights weights, Acts acts, VF* HWY_RESTRICT acc) {
  if constexpr (k32Registers) {
    VF act[kTileTokens];
    HWY_UNROLL(6)
    for (size_t t = 0; t < kTileTokens; ++t) act[t] = InRegister(acts(t));
    HWY_UNROLL(4)
    for (size_t r = 0; r < kRows; ++r) {
      const VF w = weights(r);
      HWY_UNROLL(6)
      for (size_t t = 0; t < kTileTokens; ++t) {
        acc[r * kTileTokens + t] = hn::MulAdd(w, act[t], acc[r * kTileTokens + t]);
      }
    }
  } else {
    VF w[kRows];
    HWY_UNROLL(3)
    for (size_t r = 0; r < kRows; ++r) w[r] = InOrder(weights(r));
    HWY_UNROLL(4)
    for (size_t t = 0; t < kTileTokens; ++t) {
      const VF act = InOrder(acts(t));
      HWY_UNROLL(3)
      for (size_t r = 0; r < kRows; ++r) {
        VF& sum = acc[r * kTileTokens + t];
        sum = hn::MulAdd(w[r], act, sum);
      }
      StillUsed(act);
    }
    HWY_UNROLL(3)
    for (size_t r = 0; r < kRows; ++r) StillUsed(w[r]);
  }
}

// A tile's step from column k on: 16 elements, or one register's part of them.
template <size_t kRows, class T, class Acts>
HWY_INLINE void TileStep(const T* const* w, size_t k, const Acts& acts, VF* HWY_RESTRICT acc) {
  Products<kRows>([&](size_t r) HWY_ATTR { return LoadFloats(w[r] + k); },
                  [&](size_t t) HWY_ATTR { return LoadFloats(acts.At(t, k)); }, acc);
}

// 32 elements of BF16, or a part's pairs of them: widened activations, odd and then even. Two
// shifts where a mask would be the seventeenth register, and pairs are loaded twice for the same
// reason.
template <size_t kRows, class Acts>
HWY_INLINE void TileStep(const Bf16* const* w, size_t k, const Acts& acts, VF* HWY_RESTRICT acc) {
  const DF df;
  const hn::RebindToUnsigned<DF> du;
  Products<kRows>(
      [&](size_t r) HWY_ATTR {
        const auto pairs = hn::BitCast(du, LoadPairs(w[r] + k));
        return hn::BitCast(df, hn::ShiftLeft<16>(hn::ShiftRight<16>(pairs)));
      },
      [&](size_t t) HWY_ATTR { return LoadFloats(acts.At(t, k)); }, acc);
  Products<kRows>(
      [&](size_t r) HWY_ATTR {
        const auto pairs = hn::BitCast(du, LoadPairs((k32Registers ? w[r] : Apart(w[r])) + k));
        return hn::BitCast(df, hn::ShiftLeft<16>(pairs));
      },
      [&](size_t t) HWY_ATTR { return LoadFloats(acts.At(t, k + kVirtualLanes)); }, acc);
}

// 32 elements by pair dots.
template <size_t kRows>
HWY_INLINE void TileStep(const Bf16* const* w, size_t k, const RowActs<Bf16>& acts,
                         VF* HWY_RESTRICT acc) {
  V16 act[kTileTokens];
  HWY_UNROLL(6)
  for (size_t t = 0; t < kTileTokens; ++t) act[t] = InRegisters(LoadStep(acts.At(t, k)));
  HWY_UNROLL(4)
  for (size_t r = 0; r < kRows; ++r) {
    HWY_UNROLL(6)
    for (size_t t = 0; t < kTileTokens; ++t) {
      V16 sum;
      sum.r[0] = acc[r * kTileTokens + t];
      acc[r * kTileTokens + t] = Step(w[r] + k, act[t], sum).r[0];
    }
  }
}

// The last n elements, fewer than a step: both sides padded with zeros, which packed activations
// are. `skip`: elements before this part's.
template <size_t kRows, class T>
HWY_INLINE void TileTail(const T* const* w, size_t skip, size_t k, size_t n, const PackedActs& acts,
                         VF* HWY_RESTRICT acc) {
  HWY_ALIGN T rows[kRows][kStep<T>] = {};
  const T* at[kRows];
  for (size_t r = 0; r < kRows; ++r) {
    hwy::CopyBytes(w[r] + k, rows[r], n * sizeof(T));
    at[r] = rows[r] + skip;
  }
  TileStep<kRows>(at, 0, PackedActs{acts.At(0, k), acts.part_floats}, acc);
}

template <size_t kRows, class T, class X>
HWY_INLINE void TileTail(const T* const* w, size_t, size_t k, size_t n, const RowActs<X>& acts,
                         VF* HWY_RESTRICT acc) {
  HWY_ALIGN T rows[kRows][kStep<T>] = {};
  HWY_ALIGN X tokens[kTileTokens][kStep<T>] = {};
  // Widened activations of BF16 are whole steps, odd elements first.
  constexpr bool kWhole = std::is_same_v<T, Bf16> && std::is_same_v<X, float>;
  const T* at[kRows];
  RowActs<X> last;
  for (size_t r = 0; r < kRows; ++r) {
    hwy::CopyBytes(w[r] + k, rows[r], n * sizeof(T));
    at[r] = rows[r];
  }
  for (size_t t = 0; t < kTileTokens; ++t) {
    hwy::CopyBytes(acts.At(t, k), tokens[t], (kWhole ? kStep<T> : n) * sizeof(X));
    last.row[t] = tokens[t];
  }
  TileStep<kRows>(at, 0, last, acc);
}

// One register's part of kRows × kTileTokens over n columns more, on top of acc. `skip`: elements
// of a row before the part's. With a step of `ahead` each.
template <size_t kRows, class T, class Acts>
HWY_INLINE void TilePart(const T* const* HWY_RESTRICT w, size_t skip, const Acts& acts, size_t n,
                         Ahead ahead, VF* HWY_RESTRICT acc) {
  const T* at[kRows];
  HWY_UNROLL(4)
  for (size_t r = 0; r < kRows; ++r) at[r] = w[r] + skip;
  const size_t whole = n / kStep<T> * kStep<T>;
  if (ahead.step ==
      0) {  // a loop of its own: the test in it costs a tenth of narrow targets' speed
    for (size_t k = 0; k < whole; k += kStep<T>) TileStep<kRows>(at, k, acts, acc);
  } else {
    for (size_t k = 0; k < whole; k += kStep<T>) {
      ahead.Fetch();
      TileStep<kRows>(at, k, acts, acc);
    }
  }
  if (HWY_UNLIKELY(whole < n)) TileTail<kRows>(w, skip, whole, n - whole, acts, acc);
}

// kRows × kTileTokens over n columns more. `lanes`: the accumulators between blocks of columns,
// read unless this is the first; from the last, results go to `to`. kFetches: with a step of
// `ahead` each.
template <size_t kRows, bool kFetches, class T, class Acts>
HWY_INLINE void TileProduct(const T* const* HWY_RESTRICT w, const Acts& acts, size_t n, bool first,
                            bool last, Ahead ahead, float* HWY_RESTRICT lanes, const TileOut& to) {
  constexpr size_t kTileRegs = kRows * kTileTokens;
  for (size_t part = 0; part < kRegs; ++part) {
    float* HWY_RESTRICT part_lanes = lanes + part * kLanes;
    VF acc[kTileRegs];
    HWY_UNROLL(24)
    for (size_t i = 0; i < kTileRegs; ++i) acc[i] = hn::Zero(DF());
    if (!first) {
      HWY_UNROLL(24)
      for (size_t i = 0; i < kTileRegs; ++i) {
        acc[i] = hn::LoadU(DF(), part_lanes + i * kVirtualLanes);
      }
    }
    TilePart<kRows>(w, part * (kStep<T> / kRegs), acts.Part(part), n,
                    kFetches && part == 0 ? ahead : Ahead{}, acc);
    if (kRegs == 1 && last) {
      V16 sums[kTileRegs];
      HWY_UNROLL(24)
      for (size_t i = 0; i < kTileRegs; ++i) sums[i].r[0] = acc[i];
      return FinishTile<kRows>(sums, to);
    }
    HWY_UNROLL(24)
    for (size_t i = 0; i < kTileRegs; ++i) {
      hn::StoreU(acc[i], DF(), part_lanes + i * kVirtualLanes);
    }
  }
  if (!last) return;
  V16 sums[kTileRegs];
  for (size_t i = 0; i < kTileRegs; ++i) sums[i] = Load16(lanes + i * kVirtualLanes);
  FinishTile<kRows>(sums, to);
}

// The activations of the tile whose first token is t, over n columns from `column` on.
template <class W>
HWY_INLINE auto TileActs(const FloatRows& x, size_t t, size_t tokens, size_t column, size_t n,
                         size_t cut, const FloatScratch& scratch) {
  if constexpr (kPacksActs) {
    const float* tile =
        x.tiles + (x.tiles_first + t) / kTileTokens * kTileTokens * Bf16Cols(x.cols);
    return PackedActs{tile + column / kVirtualLanes * kPackedStep, PackedPart(x.cols)};
  } else {
    constexpr bool kWidened = std::is_same_v<W, Bf16> && !kBf16Dots;
    using X = std::conditional_t<std::is_same_v<W, Bf16> && kBf16Dots, Bf16, float>;
    RowActs<X> acts;
    for (size_t i = 0; i < kTileTokens; ++i) {
      const auto* row = ActRow(static_cast<const W*>(nullptr), x, t + std::min(i, tokens - 1));
      if constexpr (kWidened) {
        float* wide = scratch.acts + i * cut;
        WidenPairs(row + column, n, wide);
        acts.row[i] = wide;
      } else {
        acts.row[i] = Apart(row + column);
      }
    }
    return acts;
  }
}

template <class W, bool kCopied, class T = PanelOf<W, kCopied>>
HWY_NOINLINE void RunPanel(const Panel<T>& panel, const FloatRows& x, const FloatScratch& scratch,
                           Prefetcher weights, FetchStream* fetch, float* out, size_t out_stride) {
  size_t first = kPacksActs ? x.tiles_first : 0;  // in its tile
  for (size_t t = 0, tokens = 0; t < x.n_tokens; t += tokens, first = 0) {
    tokens = std::min(kTileTokens - first, x.n_tokens - t);
    for (size_t column = 0; column < panel.cols; column += panel.cut) {
      const size_t n = std::min(panel.cut, panel.cols - column);
      const bool last = column + n == panel.cols;
      const auto acts = TileActs<W>(x, t, tokens, column, n, panel.cut, scratch);
      float* lanes = scratch.lanes;
      for (size_t r = 0; r < panel.rows; r += kTileRows, lanes += kTileFloats) {
        const size_t rows = std::min(kTileRows, panel.rows - r);
        const T* w[kTileRows];
        for (size_t i = 0; i < kTileRows; ++i) w[i] = panel.Row(r + std::min(i, rows - 1), column);
        weights.Some();
        const Ahead ahead = FetchStream::Beside(t == 0 ? fetch : nullptr, rows * n * sizeof(W),
                                                std::max<size_t>(1, n / kStep<W>));
        const TileOut to{out + t * out_stride + r, out_stride, rows, first, tokens};
        if (kRestRows == kTileRows || rows > kRestRows) {
          TileProduct<kTileRows, !kCopied>(w, acts, n, column == 0, last, ahead, lanes, to);
        } else {
          TileProduct<kRestRows, !kCopied>(w, acts, n, column == 0, last, ahead, lanes, to);
        }
      }
    }
  }
}

// Columns of a block: as many blocks as their activations need to stay in L1, even, in whole steps.
template <class W>
HWY_INLINE size_t Cut(size_t cols) {
  constexpr bool kPairs = std::is_same_v<W, Bf16> && kBf16Dots && !kPacksActs;
  constexpr size_t kBytes = kPacksActs ? kFloatPartBytes * kRegs : kFloatCutBytes;
  const size_t tile_bytes = kTileTokens * cols * (kPairs ? sizeof(Bf16) : sizeof(float));
  const size_t cuts = (tile_bytes + kBytes - 1) / kBytes;
  return (cols + cuts * 32 - 1) / (cuts * 32) * 32;
}

// Rows [begin, end) × all tokens, from copied panels or as they lie.
template <class W, bool kCopied>
HWY_NOINLINE void RunPanels(const FloatJob& job, const FloatScratch& scratch) {
  const WeightView& w = job.w;
  const size_t cols = kCopied && std::is_same_v<W, Bf16> ? Bf16Cols(w.cols) : w.cols;
  const size_t row_bytes = kCopied ? FloatPanelRowBytes(w.cols) : w.row_bytes;
  const size_t fit = kFloatPanelBytes / row_bytes / kTileRows * kTileRows;
  const size_t most = std::clamp(fit, kTileRows, kFloatPanelRows);
  const size_t tiles = (job.x.n_tokens + kTileTokens - 1) / kTileTokens;
  const size_t cut = Cut<W>(cols), cuts = (cols + cut - 1) / cut;
  for (size_t r = job.row_begin; r < job.row_end; r += most) {
    const size_t rows = std::min(most, job.row_end - r);
    const uint8_t* first = w.Row(r);
    if constexpr (kCopied) {
      for (size_t i = 0; i < rows; ++i) {
        CopyRow(reinterpret_cast<const W*>(w.Row(r + i)), w.cols,
                scratch.panel + i * row_bytes / 4);
      }
      first = reinterpret_cast<const uint8_t*>(scratch.panel);
    }
    // With one or two tiles memory is waited for, and asked in the order of the plan; with more it
    // has time for the next panel.
    FetchStream* fetch = kCopied || tiles > 2 ? nullptr : job.fetch;
    const size_t ahead = tiles > 2 ? std::min(most, w.rows - (r + rows)) : 0;
    const size_t calls = tiles * cuts * ((rows + kTileRows - 1) / kTileRows);
    RunPanel<W, kCopied>({first, row_bytes, rows, cols, cut}, job.x, scratch,
                         Prefetcher(w.Row(r + rows), w.row_bytes, ahead, calls), fetch,
                         job.out + r - job.row_begin, job.out_stride);
  }
}

template <class W>
HWY_INLINE void MatMulOf(const FloatJob& job) {
  const FloatScratch scratch(job.scratch);
  if constexpr (kCopies<W>) {
    const bool in_tile = std::is_same_v<W, hwy::float16_t> && job.cpu.widens_in_tile;
    if (job.x.n_tokens >= kWideTokens && !in_tile) return RunPanels<W, true>(job, scratch);
  }
  RunPanels<W, false>(job, scratch);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
