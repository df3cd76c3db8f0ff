// Float products of several tokens: tiles of 4 rows × 6 tokens, 24 accumulators: ten loads for 24
// products, below which Zen 4's FMA units starve (4 × 4 reaches 77 % of their rate, 4 × 6 all of
// it). Targets of 16 registers take 2 × 6. Where a register has fewer than 16 lanes, a tile goes
// over its columns once for each of the virtual lanes' registers: accumulators stay in registers,
// and the second time everything is in L1.
//
// Rows are taken as panels. From kWideTokens on, a panel's rows are copied once for all tokens
// where a register has 16 lanes, F16 and BF16 widened to float32 (which costs Intel's FMA ports two
// slots a register), and none at a distance of a power of two; BF16 stays as it is where the target
// has dots for it. Narrower targets widen in the tile, beside the FMA units. A panel is cut into
// blocks of columns, so that a tile's activations stay in L1 for all rows of it; its
// accumulators wait in memory from one block to the next, 24 loads and stores for 768 products.
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
#include "engine/kernels/matmul_float.h"
#include "engine/kernels/tile-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace {

constexpr bool kBf16Dots = HWY_NATIVE_DOT_BF16 && HWY_ARCH_X86;

// AVX-512 and NEON have 32 registers.
constexpr size_t kTileRows = kLanes == 16 || HWY_ARCH_ARM_A64 ? 4 : 2;
constexpr size_t kTileTokens = 6;
constexpr size_t kTileRegs = kTileRows * kTileTokens;
constexpr size_t kTileFloats = kTileRegs * kVirtualLanes;

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

// Where the results of a tile go: out[token·stride + row].
struct TileOut {
  float* out;
  size_t stride;
  size_t rows, tokens;
};

// The sums of a tile's accumulators, [row][token].
HWY_INLINE void FinishTile(const V16* HWY_RESTRICT acc, const TileOut& to) {
  HWY_ALIGN float sums[2 * kVirtualLanes];  // [token][4 rows]
  V16 fold[kTileRows];
  HWY_UNROLL(4)
  for (size_t r = 0; r < kTileRows; ++r) {
    const V16* a = acc + r * kTileTokens;
    fold[r] = Fold4(a[0], a[1], a[2], a[3]);
  }
  const V16* a = acc + 4;  // tokens 4 and 5
  if constexpr (kTileRows == 4) {
    Store16(Finish4(fold[0], fold[1], fold[2], fold[3]), sums);
    // Eight sums in two folds; places 0 and 1 of each block of 4 hold two rows.
    const V16 even = Fold4(a[0], a[2 * kTileTokens], a[1], a[2 * kTileTokens + 1]);
    a += kTileTokens;
    const V16 odd = Fold4(a[0], a[2 * kTileTokens], a[1], a[2 * kTileTokens + 1]);
    HWY_ALIGN float pairs[kVirtualLanes];
    Store16(Finish4(even, odd, even, odd), pairs);
    for (size_t i = 0; i < 4; ++i) {
      hwy::CopyBytes<2 * sizeof(float)>(pairs + 4 * i, sums + kVirtualLanes + 2 * i);
    }
  } else {
    const V16 rest = Fold4(a[0], a[kTileTokens], a[1], a[kTileTokens + 1]);
    Store16(Finish4(fold[0], fold[1], rest, rest), sums);
    for (size_t i = 0; i < 4; ++i) sums[kVirtualLanes + i / 2 * 4 + i % 2] = sums[4 * i + 2];
  }
  if (HWY_LIKELY(to.rows == kTileRows)) {
    for (size_t t = 0; t < to.tokens; ++t) {
      hwy::CopyBytes<kTileRows * sizeof(float)>(sums + 4 * t, to.out + t * to.stride);
    }
  } else {
    for (size_t t = 0; t < to.tokens; ++t) {
      for (size_t r = 0; r < to.rows; ++r) to.out[t * to.stride + r] = sums[4 * t + r];
    }
  }
}

// Register `part` of the virtual lanes of 16 elements.
HWY_INLINE VF LoadPart(const float* x, size_t part) { return hn::LoadU(DF(), x + part * kLanes); }
HWY_INLINE VF LoadPart(const hwy::float16_t* x, size_t part) {
  return hn::PromoteTo(DF(), hn::LoadU(DH(), x + part * kLanes));
}
// Of 16 pairs, as they lie.
HWY_INLINE VF LoadPart(const Bf16* x, size_t part) {
  const hn::Repartition<uint16_t, DF> d16;
  return hn::BitCast(DF(),
                     hn::LoadU(d16, reinterpret_cast<const uint16_t*>(x) + 2 * part * kLanes));
}

// acc[row][token] += weights(row) · acts(token). What there is less of waits in registers.
template <class Weights, class Acts>
HWY_INLINE void Products(Weights weights, Acts acts, VF* HWY_RESTRICT acc) {
  if constexpr (kTileRows == 4) {
    VF act[kTileTokens];
    HWY_UNROLL(6)
    for (size_t t = 0; t < kTileTokens; ++t) act[t] = InRegister(acts(t));
    HWY_UNROLL(4)
    for (size_t r = 0; r < kTileRows; ++r) {
      const VF w = weights(r);
      HWY_UNROLL(6)
      for (size_t t = 0; t < kTileTokens; ++t) {
        acc[r * kTileTokens + t] = hn::MulAdd(w, act[t], acc[r * kTileTokens + t]);
      }
    }
  } else {
    const VF w0 = InRegister(weights(0)), w1 = InRegister(weights(1));
    HWY_UNROLL(6)
    for (size_t t = 0; t < kTileTokens; ++t) {
      const VF act = InRegister(acts(t));
      acc[t] = hn::MulAdd(w0, act, acc[t]);
      acc[kTileTokens + t] = hn::MulAdd(w1, act, acc[kTileTokens + t]);
    }
  }
}

// A tile's step: 16 elements, or 32 of BF16; of the lanes of `part`. at(row), act(token): where the
// step's elements are.
template <class W, class X, class WeightsAt, class ActsAt>
HWY_INLINE void TileStep(WeightsAt at, ActsAt act_at, size_t part, VF* HWY_RESTRICT acc) {
  const auto act_from = [&](size_t offset) HWY_ATTR {
    return [=](size_t t) HWY_ATTR { return LoadPart(act_at(t) + offset, part); };
  };
  if constexpr (std::is_same_v<X, Bf16>) {  // pair dots
    V16 act[kTileTokens];
    HWY_UNROLL(6)
    for (size_t t = 0; t < kTileTokens; ++t) act[t] = InRegisters(LoadStep(act_at(t)));
    HWY_UNROLL(4)
    for (size_t r = 0; r < kTileRows; ++r) {
      HWY_UNROLL(6)
      for (size_t t = 0; t < kTileTokens; ++t) {
        V16 sum;
        sum.r[0] = acc[r * kTileTokens + t];
        acc[r * kTileTokens + t] = Step(at(r), act[t], sum).r[0];
      }
    }
  } else if constexpr (std::is_same_v<W, Bf16>) {  // widened activations: odd, then even
    const DF df;
    const hn::RebindToUnsigned<DF> du;
    const auto pairs = [&](size_t r) HWY_ATTR { return hn::BitCast(du, LoadPart(at(r), part)); };
    // Two shifts where a mask would be the seventeenth register.
    Products(
        [&](size_t r)
            HWY_ATTR { return hn::BitCast(df, hn::ShiftLeft<16>(hn::ShiftRight<16>(pairs(r)))); },
        act_from(0), acc);
    Products([&](size_t r) HWY_ATTR { return hn::BitCast(df, hn::ShiftLeft<16>(pairs(r))); },
             act_from(kVirtualLanes), acc);
  } else {
    Products([&](size_t r) HWY_ATTR { return LoadPart(at(r), part); }, act_from(0), acc);
  }
}

// kTileRows × kTileTokens over n columns more. `lanes`: the accumulators between blocks of columns,
// read unless this is the first; from the last, results go to `to`. kFetches: with a step of
// `ahead` each.
template <bool kFetches, class W, class X>
HWY_INLINE void TileProduct(const W* const* HWY_RESTRICT w, const X* const* HWY_RESTRICT x,
                            size_t n, bool first, bool last, Ahead ahead, float* HWY_RESTRICT lanes,
                            const TileOut& to) {
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
    size_t k = 0;
    for (; k + kStep<W> <= n; k += kStep<W>) {
      if constexpr (kFetches) {
        if (kRegs == 1 || part == 0) ahead.Fetch();
      }
      TileStep<W, X>([&](size_t r) HWY_ATTR { return w[r] + k; },
                     [&](size_t t) HWY_ATTR { return x[t] + k; }, part, acc);
    }
    if (HWY_UNLIKELY(k < n)) {  // the last elements, both sides padded with zeros
      HWY_ALIGN W last_w[kTileRows][2 * kVirtualLanes] = {};
      HWY_ALIGN X last_x[kTileTokens][2 * kVirtualLanes] = {};
      // Widened activations are whole steps, odd elements first.
      constexpr bool kWhole = std::is_same_v<W, Bf16> && std::is_same_v<X, float>;
      const size_t n_x = kWhole ? kStep<W> : n - k;
      for (size_t r = 0; r < kTileRows; ++r) {
        hwy::CopyBytes(w[r] + k, last_w[r], (n - k) * sizeof(W));
      }
      for (size_t t = 0; t < kTileTokens; ++t) {
        hwy::CopyBytes(x[t] + k, last_x[t], n_x * sizeof(X));
      }
      TileStep<W, X>([&](size_t r) HWY_ATTR { return last_w[r]; },
                     [&](size_t t) HWY_ATTR { return last_x[t]; }, part, acc);
    }
    if (kRegs == 1 && last) {
      V16 sums[kTileRegs];
      HWY_UNROLL(24)
      for (size_t i = 0; i < kTileRegs; ++i) sums[i].r[0] = acc[i];
      return FinishTile(sums, to);
    }
    HWY_UNROLL(24)
    for (size_t i = 0; i < kTileRegs; ++i) {
      hn::StoreU(acc[i], DF(), part_lanes + i * kVirtualLanes);
    }
  }
  if (!last) return;
  V16 sums[kTileRegs];
  for (size_t i = 0; i < kTileRegs; ++i) sums[i] = Load16(lanes + i * kVirtualLanes);
  FinishTile(sums, to);
}

// BF16 as float32, by steps of 32: the odd elements of a pair, then the even ones (order.h, 2b).
HWY_INLINE void WidenPairs(const Bf16* HWY_RESTRICT from, size_t n, float* HWY_RESTRICT to) {
  const DF df;
  const hn::RebindToUnsigned<DF> du;
  for (size_t k = 0; k < n; k += 2 * kVirtualLanes) {
    HWY_ALIGN Bf16 padded[2 * kVirtualLanes];
    const Bf16* step = from + k;
    if (HWY_UNLIKELY(n - k < 2 * kVirtualLanes)) {
      std::fill(padded, padded + 2 * kVirtualLanes, Bf16{0});
      std::copy(step, step + (n - k), padded);
      step = padded;
    }
    const V16 pairs = LoadStep(step);
    for (size_t i = 0; i < kRegs; ++i) {
      const auto bits = hn::BitCast(du, pairs.r[i]);
      hn::StoreU(hn::BitCast(df, hn::And(bits, hn::Set(du, 0xFFFF0000u))), df, to + k + i * kLanes);
      hn::StoreU(hn::BitCast(df, hn::ShiftLeft<16>(bits)), df, to + k + kVirtualLanes + i * kLanes);
    }
  }
}

HWY_INLINE void Widen(const float* from, size_t n, float* to) { std::copy(from, from + n, to); }
HWY_INLINE void Widen(const hwy::float16_t* from, size_t n, float* to) { WidenRow(from, n, to); }
HWY_INLINE void Widen(const Bf16* from, size_t n, float* to) { WidenPairs(from, n, to); }

// Rows of the matrix as T.
template <class T>
struct Panel {
  const uint8_t* first;  // row
  size_t row_bytes, rows;
  size_t cols, cut;  // columns, and those of a block

  const T* Row(size_t r, size_t column) const {
    return Apart(reinterpret_cast<const T*>(first + r * row_bytes) + column);
  }
};

// What a panel of W's rows holds.
template <class W, bool kCopied>
using PanelOf = std::conditional_t<kCopied, float, W>;

template <class W, bool kCopied, class T = PanelOf<W, kCopied>>
HWY_NOINLINE void RunPanel(const Panel<T>& panel, const FloatRows& x, const FloatScratch& scratch,
                           Prefetcher weights, FetchStream* fetch, float* out, size_t out_stride) {
  constexpr bool kWidened = std::is_same_v<W, Bf16> && !kBf16Dots;
  using X = std::conditional_t<std::is_same_v<W, Bf16> && kBf16Dots, Bf16, float>;
  for (size_t t = 0; t < x.n_tokens; t += kTileTokens) {
    const size_t tokens = std::min(kTileTokens, x.n_tokens - t);
    for (size_t column = 0; column < panel.cols; column += panel.cut) {
      const size_t n = std::min(panel.cut, panel.cols - column);
      const bool last = column + n == panel.cols;
      const X* acts[kTileTokens];
      for (size_t i = 0; i < kTileTokens; ++i) {
        const auto* row = ActRow(static_cast<const W*>(nullptr), x, t + std::min(i, tokens - 1));
        if constexpr (kWidened) {
          float* wide = scratch.acts + i * panel.cut;
          WidenPairs(row + column, n, wide);
          acts[i] = wide;
        } else {
          acts[i] = Apart(row + column);
        }
      }
      float* lanes = scratch.lanes;
      for (size_t r = 0; r < panel.rows; r += kTileRows, lanes += kTileFloats) {
        const size_t rows = std::min(kTileRows, panel.rows - r);
        const T* w[kTileRows];
        for (size_t i = 0; i < kTileRows; ++i) w[i] = panel.Row(r + std::min(i, rows - 1), column);
        weights.Some();
        const Ahead ahead = FetchStream::Beside(t == 0 ? fetch : nullptr, rows * n * sizeof(W),
                                                std::max<size_t>(1, n / kStep<W>));
        TileProduct<!kCopied>(w, acts, n, column == 0, last, ahead, lanes,
                              {out + t * out_stride + r, out_stride, rows, tokens});
      }
    }
  }
}

// Rows [begin, end) × all tokens, from panels of floats or (kCopied false) as they lie.
template <class W, bool kCopied>
HWY_NOINLINE void RunPanels(const FloatJob& job, const FloatScratch& scratch) {
  const WeightView& w = job.w;
  const size_t cols = kCopied && std::is_same_v<W, Bf16> ? Bf16Cols(w.cols) : w.cols;
  const size_t row_bytes = kCopied ? FloatPanelRowBytes(w.cols) : w.row_bytes;
  const size_t fit = kFloatPanelBytes / row_bytes / kTileRows * kTileRows;
  const size_t most = std::clamp(fit, kTileRows, kFloatPanelRows);
  const size_t tiles = (job.x.n_tokens + kTileTokens - 1) / kTileTokens;
  constexpr bool kPairs = std::is_same_v<W, Bf16> && kBf16Dots;
  const size_t tile_bytes = kTileTokens * cols * (kPairs ? sizeof(Bf16) : sizeof(float));
  const size_t cuts = (tile_bytes + kFloatCutBytes - 1) / kFloatCutBytes;
  const size_t cut = (cols + cuts * 32 - 1) / (cuts * 32) * 32;  // even, in whole steps
  for (size_t r = job.row_begin; r < job.row_end; r += most) {
    const size_t rows = std::min(most, job.row_end - r);
    const uint8_t* first = w.Row(r);
    if constexpr (kCopied) {
      for (size_t i = 0; i < rows; ++i) {
        Widen(reinterpret_cast<const W*>(w.Row(r + i)), w.cols, scratch.panel + i * row_bytes / 4);
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

// Whether panels are copies: not where BF16 has dots, and not on narrow targets, whose tiles read a
// panel from L2 more often.
template <class W>
constexpr bool kCopies = kLanes == 16 && !(std::is_same_v<W, Bf16> && kBf16Dots);

template <class W>
HWY_INLINE void MatMulOf(const FloatJob& job) {
  const FloatScratch scratch(job.scratch);
  if constexpr (kCopies<W>) {
    if (job.x.n_tokens >= kWideTokens) return RunPanels<W, true>(job, scratch);
  }
  RunPanels<W, false>(job, scratch);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
