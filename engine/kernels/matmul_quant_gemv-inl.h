// One to three tokens: rows stream from memory.
//
// A group of N rows advances together, 32 columns a step: byte dots leave four partial sums a row,
// a transposing sum (SumBlocks) turns them into one vector with lane = row, and one multiply and
// fma serve the whole group. The bytes go from decoding straight into the dots (a fifth to a third
// faster than through a chunk in L1, where nothing waits for memory). Rows are contiguous, so the
// group's bytes are one range; while it is worked on, what comes next in memory is prefetched in
// address order, which is what DRAM likes best.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_GEMV_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_GEMV_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_GEMV_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_GEMV_INL_H_
#endif

#include <type_traits>

#include "engine/kernels/matmul_quant_dot-inl.h"
#include "engine/kernels/matmul_quant_types-inl.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace quant {

// Where a row's four lanes start, so that their sum starts at kSumOrigin: free where a dot is one
// instruction; elsewhere each start would be an addition, and Signed makes one for all.
constexpr bool kDotsStart = kUnsignedDot;
HWY_INLINE VI Start() {
  if constexpr (!kDotsStart) return hn::Zero(DI());
  alignas(16) static constexpr int32_t kFirstOfFour[4] = {kSumOrigin, 0, 0, 0};
  return hn::LoadDup128(DI(), kFirstOfFour);
}

// The signed sum as Scaled takes it, of bytes that are kRaw above their signed values. isum: of
// dots that began at Start().
template <int kRaw>
HWY_INLINE VF Signed(VI isum, int32_t bias) {
  constexpr Surplus kSurplus(kRaw);
  if constexpr (kDotsStart) {
    if constexpr (kRaw == 0) return hn::BitCast(DF(), isum);
    return hn::BitCast(DF(), hn::Add(isum, hn::Set(DI(), ((bias - kSumOrigin) >> 7) * kRaw)));
  } else {
    isum = hn::Add(isum, hn::Set(DI(), kSurplus.origin));
    if constexpr (kRaw == 0) return hn::BitCast(DF(), isum);
    return kSurplus.Off(isum, bias);
  }
}
// That of a block's second half, from 0 on, as its own float.
template <int kRaw>
HWY_INLINE VF SignedSecond(VI isum, const ActBlock& x) {
  if constexpr (kDotsStart) {
    return hn::ConvertTo(DF(), hn::Add(isum, hn::Set(DI(), (x.high_bias() >> 7) * kRaw)));
  } else {
    return Surplus(kRaw).OffSecond(isum, x);
  }
}

// What a group's blocks have beside their bytes; lane = row.
struct Factors {
  HWY_ALIGN float scale[kMaxChunk][kGroup];
  HWY_ALIGN float second[kMaxChunk][kGroup];     // ws2 or wm (Q2_K: wm/128)
  HWY_ALIGN int32_t mins[kMaxChunk][2][kGroup];  // Q2_K: the two integers of a block

  HWY_INLINE void StoreScale(size_t block, VF v) { hn::Store(v, DF(), scale[block]); }
  HWY_INLINE void StoreSecond(size_t block, VF v) { hn::Store(v, DF(), second[block]); }
  HWY_INLINE void StoreMin(size_t block, size_t half, VI v) {
    hn::Store(v, DI(), mins[block][half]);
  }
};

// acc after block b of the order contract. isum: Σ of raw bytes times activations over the block,
// from Start() on; for kTwoScale `first` is that over its first 16 columns, and isum, from 0 on,
// over its last.
template <QuantForm kForm, int kRaw>
HWY_INLINE VF Advance(const Factors& w, size_t b, VI isum, VI first, const ActBlock& x, VF acc) {
  const DI di;
  const DF df;
  const Factor scale(hn::Load(df, w.scale[b]));
  VF t;
  if constexpr (kForm == QuantForm::kTwoScale) {
    t = Scaled(scale, Signed<kRaw>(first, x.bias_lo));
    t = hn::MulAdd(hn::Load(df, w.second[b]), SignedSecond<kRaw>(isum, x), t);
  } else {
    t = Scaled(scale, Signed<kRaw>(isum, x.bias));
  }
  if constexpr (kForm == QuantForm::kMin) {
    t = hn::NegMulAdd(hn::Load(df, w.second[b]), hn::Set(df, x.sum), t);
  } else if constexpr (kForm == QuantForm::kTwoMin) {
    // −128·Σ min·x, and wm/128 in the factors: both exact, so the product is the contract's.
    const auto low = hn::Mul(hn::Load(di, w.mins[b][0]), hn::Set(di, x.low_bias()));
    const auto high = hn::Mul(hn::Load(di, w.mins[b][1]), hn::Set(di, x.high_bias()));
    t = hn::MulAdd(hn::Load(df, w.second[b]), hn::ConvertTo(df, hn::Add(low, high)), t);
  }
  return hn::MulAdd(hn::Set(df, x.d), t, acc);
}

// A sink: blocks are multiplied by T tokens as they are decoded, and leave one vector of sums a
// token (two of a type with two scales) instead of eight of bytes.
template <QuantForm kForm, size_t kInPairs, size_t T>
struct Dots : Factors {
  static constexpr bool kStoresBytes = false;
  static constexpr bool kTakesSteps = kPairedDot;
  static constexpr bool kHalves = kForm == QuantForm::kTwoScale;
  HWY_ALIGN int32_t sums[T][kMaxChunk][kHalves ? 2 : 1][kGroup];
  const uint8_t* x;  // the first token's blocks
  size_t x_stride;

  Dots(const uint8_t* acts, size_t stride) : x(acts), x_stride(stride) {}
  HWY_INLINE const ActBlock& Acts(size_t t, size_t block) const {
    return reinterpret_cast<const ActBlock*>(x + t * x_stride)[block];
  }

  template <class Bytes>
  HWY_INLINE void Put(size_t block, Bytes of) {
    const DI8 di8;
    const DI di;
    // Sums of a row's dots: of two, or one of each half.
    constexpr bool kAddsPairs = kPairedDot && kInPairs > 1;
    using Sum = std::conditional_t<kAddsPairs, VI16, VI>;
    Sum low[T][4], high[T][4];
    Unroll<4>([&](size_t i) SMALLMIND_LAMBDA {
      const VU8 w_lo = of(0, i), w_hi = of(1, i);
      Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
        const int8_t* q = Acts(t, block).q;
        const VI8 x_lo = hn::LoadDup128(di8, q), x_hi = hn::LoadDup128(di8, q + 16);
        if constexpr (kAddsPairs) {
          low[t][i] = Pairs<kInPairs>(w_lo, x_lo);
          high[t][i] = Pairs<kInPairs>(w_hi, x_hi);
          if constexpr (!kHalves) high[t][i] = hn::Add(high[t][i], low[t][i]);
        } else {
          low[t][i] = Dot<kInPairs>(w_lo, x_lo, Start());
          high[t][i] = Dot<kInPairs>(w_hi, x_hi, kHalves ? hn::Zero(di) : low[t][i]);
        }
      });
    });
    const auto sum = [&](const Sum v[4]) SMALLMIND_LAMBDA {
      if constexpr (kAddsPairs) {
        constexpr size_t kDots = kHalves ? 1 : 2;
        return SumBlocks<kInPairs, kDots>(v[0], v[1], v[2], v[3]);
      } else {
        return SumBlocks(v[0], v[1], v[2], v[3]);
      }
    };
    Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
      if constexpr (kHalves) hn::Store(sum(low[t]), di, sums[t][block][1]);
      hn::Store(sum(high[t]), di, sums[t][block][0]);
    });
  }

  // Σ step·(byte − kZero)·x of a block, bytes ≤ 7, with the two halves' steps at `steps`, lane =
  // row, each as two equal int16. A half's products, 16·7·127 at most with kZero·Σx beside, sum up
  // in int16 pairs: one multiplication by the step for the whole group, where bytes would need four
  // or eight (Zen 3, in cache: Q3_K 1.67, Q2_K 1.22 times as fast).
  template <int kZero, class Bytes>
  HWY_INLINE void PutStepped(size_t block, Bytes of, const int32_t (*steps)[kGroup]) {
    const DI di;
    VI sum[T];
    Unroll<T>([&](size_t t) SMALLMIND_LAMBDA { sum[t] = hn::Zero(di); });
    Unroll<2>([&](size_t half) SMALLMIND_LAMBDA {
      VI16 pairs[T][4];
      Unroll<4>([&](size_t i) SMALLMIND_LAMBDA {
        const VU8 w = of(half, i);
        Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
          pairs[t][i] = Pairs<8>(w, hn::LoadDup128(DI8(), Acts(t, block).q + 16 * half));
        });
      });
      const VI16 step = hn::BitCast(DI16(), hn::Load(di, steps[half]));
      Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
        const auto& v = pairs[t];
        VI16 row = SumQwords(SumDwords(v[0], v[1]), SumDwords(v[2], v[3]));
        if constexpr (kZero != 0) {
          const int32_t bias = half == 0 ? Acts(t, block).low_bias() : Acts(t, block).high_bias();
          const int32_t zero = (bias >> 7) * kZero;
          row = hn::Add(row, hn::BitCast(DI16(), hn::Set(di, zero & 0xffff)));
        }
        sum[t] = hn::Add(sum[t], hn::WidenMulPairwiseAdd(di, row, step));
      });
    });
    Unroll<T>([&](size_t t) SMALLMIND_LAMBDA { hn::Store(sum[t], di, sums[t][block][0]); });
  }
};

// Stored bytes of 32 columns of so many rows.
template <class W>
constexpr size_t StepOf(size_t rows = kGroup) {
  return rows * W::kBytes * 32 / W::kColumns;
}

// Blocks [b0, b0 + n) of a row group times one to three tokens, whose blocks b0 are at x:
// acc[t][lane] is continued.
struct RowsArgs {
  GroupAt rows;
  size_t b0, n;
  const uint8_t* x;
  size_t x_stride;
  Ahead ahead;
  float* acc;
};
using RowsKernel = void (*)(const RowsArgs&);

// Bytes of a row of a chunk; step: of a block of all rows.
constexpr size_t ChunkBytes(size_t step) { return step / kGroup * kMaxChunk; }

// Fetchers: made for a chunk, asked once a block.

constexpr bool kFetchesIntoL1 = HWY_TARGET <= HWY_AVX3_ZEN4;  // where FetchesIntoL1 can be true

struct IntoL2 : Ahead {
  IntoL2(const RowGroup&, const RowsArgs& args) : Ahead(args.ahead) {}
};

// The same into L1, of a block that fetches as much as it reads, which nearly all do. (Zen 5, one
// token, two threads, interleaved rounds, in production and native: 1.1B Q4_0 1.01 to 1.05
// and 1.26, Q8_0 1.04 and 1.04, Q4_K_M 1.09 to 1.12 and 1.06 to 1.11; 0.5B Q8_0 1.05 and 1.18.)
template <class W>
struct IntoL1 {
  const uint8_t* at;

  IntoL1(const RowGroup&, const RowsArgs& args) : at(args.ahead.at) {}
  HWY_INLINE void Fetch() {
    Unroll<(StepOf<W>() + 63) / 64>(
        [&](size_t i) SMALLMIND_LAMBDA { __builtin_prefetch(at + 64 * i, 0, 3); });
    at += StepOf<W>();
  }
};

// Beside what is far ahead, the rows' own next chunk into L1, two rows a block.
//
// Where the rest goes into L2, it pays for rows of whole cache lines, which all leave a line at the
// same column: sixteen misses at once, in the buffers where what comes from memory waits too. Rows
// of other lengths miss one after another, which costs long ones alone. (1.1B, two threads, medians
// of interleaved rounds. Rows of whole lines, on Emerald Rapids: Q4_0 1.04 to 1.08, Q8_0 1.01 to
// 1.04, Q4_K_M 1.02 to 1.04. Long ones besides, on Zen 5: Q8_0 1.12, Q4_0 1.07 to 1.09, Q4_K_M 1.0.
// Short ones, 135M on Zen 5: 0.94 to 1.03.)
//
// Where it goes into L1, all rows gain: what lies a group ahead there has often left L1 when it is
// its turn. (Zen 5, production: 0.5B Q8_0 1.27, 135M Q8_0 1.23, Q4_0 1.14, Q4_K_M 1.11.) In no case
// beyond the row: its next group's first chunk 0.85 to 0.98.
constexpr size_t kNearRows = 2;
constexpr bool kFetchesNear = kGroup == kNearRows * kMaxChunk;
inline bool NearPaysBesideL2(size_t stride) {
  constexpr size_t kLong = 2048;
  return stride % 64 == 0 || stride >= kLong;
}
template <class W, class Far>
struct WithNear : Far {
  static constexpr size_t kBytes = ChunkBytes(StepOf<W>()), kLines = kBytes / 64;
  const uint8_t* row;
  size_t stride;

  WithNear(const RowGroup& rows, const RowsArgs& args)
      : Far(rows, args),
        row(rows.Row(0, 0) + (args.b0 / kMaxChunk + 1) * kBytes),
        stride(rows.stride) {}
  HWY_INLINE void Fetch() {
    Far::Fetch();
    Unroll<kLines>([&](size_t i) SMALLMIND_LAMBDA {
      const size_t at = (i + 1) * kBytes / kLines - 1;
      __builtin_prefetch(row + at, 0, 3);
      __builtin_prefetch(row + stride + at, 0, 3);
    });
    row += kNearRows * stride;
  }
};

// Packed groups lie one behind the other, and so do their chunks: a block fetches what lies a chunk
// behind it, by whichever lanes of a group come first.
template <class W>
struct ChunkBehind {
  static constexpr size_t kStep = StepOf<W>(kPackedRows);
  const uint8_t* at;
  bool first;

  ChunkBehind(const PackedRows& rows, const RowsArgs& args)
      : at(rows.at + (args.b0 + kMaxChunk) * kStep),
        first(kGroup == kPackedRows || rows.lane == 0) {}
  HWY_INLINE void Fetch() {
    // A loop: of so many at once the miss buffers drop what they have no room for (Zen 5, two
    // threads streaming Q8_0 from memory: 1.1 to 1.4 times as fast as unrolled).
    if (first) {
      HWY_UNROLL(1)
      for (size_t i = 0; i < kStep; i += 64) __builtin_prefetch(at + i, 0, 2);
    }
    at += kStep;
  }
};

// Dots of a packed group: lane = row from the first dot on.
template <QuantForm kForm, size_t kInPairs, size_t T>
struct PackedDots : Dots<kForm, kInPairs, T> {
  using Base = Dots<kForm, kInPairs, T>;
  using Base::Base;
  using Base::kHalves, Base::sums, Base::Acts;

  template <class Bytes>
  HWY_INLINE void Put(size_t block, Bytes of) {
    const DI di;
    VI sum[T];
    VI16 pairs[T];
    Unroll<T>([&](size_t t)
                  SMALLMIND_LAMBDA { sum[t] = hn::Set(di, kDotsStart ? kSumOrigin : 0); });
    Unroll<2>([&](size_t half) SMALLMIND_LAMBDA {
      Unroll<4>([&](size_t i) SMALLMIND_LAMBDA {
        const VU8 w = of(half, i);
        Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
          const VI8 four = Broadcast4(Acts(t, block).q + 16 * half + 4 * i);
          AddDot<kInPairs>(kHalves ? i : 4 * half + i, w, four, pairs[t], sum[t]);
        });
      });
      if constexpr (kHalves) {
        if (half == 1) return;
        Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
          hn::Store(sum[t], di, sums[t][block][1]);
          sum[t] = hn::Zero(di);
        });
      }
    });
    Unroll<T>([&](size_t t) SMALLMIND_LAMBDA { hn::Store(sum[t], di, sums[t][block][0]); });
  }
};

// A function a fetcher: where a profile trained one of them, what it did not run is not taken for
// cold and compiled for size.
template <class W, size_t kInPairs, size_t T, bool kPacked, class Fetcher>
void DotRows(const RowsArgs& args) {
  constexpr QuantForm kForm = W::kForm;
  const RowsOf<kPacked> rows(args.rows);
  using Sink =
      std::conditional_t<kPacked, PackedDots<kForm, kInPairs, T>, Dots<kForm, kInPairs, T>>;
  const DI di;
  const DF df;
  Sink dots(args.x, args.x_stride);
  W::Decode(rows, args.b0, args.n, Fetcher(rows, args), dots);
  VF acc[T];
  Unroll<T>([&](size_t t) SMALLMIND_LAMBDA { acc[t] = hn::Load(df, args.acc + t * kGroup); });
  for (size_t b = 0; b < args.n; ++b) {
    Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
      const ActBlock& x = dots.Acts(t, b);
      const VI first = hn::Load(di, dots.sums[t][b][Sink::kHalves ? 1 : 0]);
      acc[t] = Advance<kForm, W::kRaw>(dots, b, hn::Load(di, dots.sums[t][b][0]), first, x, acc[t]);
    });
  }
  Unroll<T>([&](size_t t) SMALLMIND_LAMBDA { hn::Store(acc[t], df, args.acc + t * kGroup); });
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
