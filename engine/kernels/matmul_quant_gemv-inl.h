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

#include "engine/kernels/matmul_quant_sums-inl.h"
#include "engine/kernels/matmul_quant_types-inl.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace quant {

// A sink: blocks are multiplied by T tokens as they are decoded, and leave one vector of sums a
// token (two of a type with two scales) instead of eight of bytes.
template <class W, size_t kInPairs, size_t T, bool kPacked = false>
struct Dots : SumsOf<W, T, kPacked> {
  static constexpr bool kStoresBytes = false;
  static constexpr bool kTakesSteps = kPairedDot;
  using Base = SumsOf<W, T, kPacked>;
  using Base::Acts, Base::kHalves, Base::Take;

  Dots(const uint8_t* acts, size_t stride) : Base(acts, stride) {}
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
      if constexpr (kHalves) Take(t, block, 0, sum(low[t]));
      Take(t, block, 1, sum(high[t]));
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
    Unroll<T>([&](size_t t) SMALLMIND_LAMBDA { Take(t, block, 1, sum[t]); });
  }
};

// Stored bytes of 32 columns of so many rows.
template <class W>
constexpr size_t StepOf(size_t rows = kGroup) {
  return rows * W::kBytes * 32 / W::kColumns;
}

// Blocks [b0, b0 + n) of `groups` row groups, one behind the other, times one to three tokens,
// whose blocks b0 are at x: out[t·out_stride + group·kGroup + lane], continued where b0 is not 0.
// Packed groups, and parts of rows: one.
struct RowsArgs {
  GroupAt rows;
  size_t groups;
  size_t b0, n;
  const uint8_t* x;
  size_t x_stride;
  Ahead ahead;
  float* out;
  size_t out_stride;
};
using RowsKernel = void (*)(const RowsArgs&);

// Bytes of a row of a chunk; step: of a block of all rows.
constexpr size_t ChunkBytes(size_t step) { return step / kGroup * kMaxChunk; }

// Fetchers: made for a chunk, asked once a block.

// Where FetchesIntoL1 can be true: on AVX3_ZEN4's processors, which run AVX3_DL's code where
// dispatch is dynamic (matmul_quant.cc).
constexpr bool kFetchesIntoL1 = kUnsignedDot;

struct IntoL2 : Ahead {
  IntoL2(const auto&, const RowsArgs& args) : Ahead(args.ahead) {}
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

// Packed groups lie one behind the other, and so do their chunks: where a kernel takes all lanes of
// a group, a block fetches what lies a chunk behind it. Where it takes a part, the stream's bytes
// are fetched as of stored rows (Zen 4 without AVX-512, 1.1B: 1.5 to 1.7 times as fast as by the
// first part alone, while memory rests during the others).
constexpr bool kWholePackedGroups = kGroup == kPackedRows;
template <class W>
struct ChunkBehind {
  static constexpr size_t kStep = StepOf<W>(kPackedRows);
  const uint8_t* at;

  ChunkBehind(const PackedRows& rows, const RowsArgs& args)
      : at(rows.at + (args.b0 + kMaxChunk) * kStep) {}
  HWY_INLINE void Fetch() {
    // A loop: of so many at once the miss buffers drop what they have no room for (Zen 5, two
    // threads streaming Q8_0 from memory: 1.1 to 1.4 times as fast as unrolled).
    HWY_UNROLL(1)
    for (size_t i = 0; i < kStep; i += 64) __builtin_prefetch(at + i, 0, 2);
    at += kStep;
  }
};

// Dots of a packed group: lane = row from the first dot on.
template <class W, size_t kInPairs, size_t T>
struct PackedDots : Dots<W, kInPairs, T, true> {
  using Base = Dots<W, kInPairs, T, true>;
  using Base::Acts, Base::kHalves, Base::Take;

  PackedDots(const uint8_t* acts, size_t stride) : Base(acts, stride) {}
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
          Take(t, block, 0, sum[t]);
          sum[t] = hn::Zero(di);
        });
      }
    });
    Unroll<T>([&](size_t t) SMALLMIND_LAMBDA { Take(t, block, 1, sum[t]); });
  }
};

// A function a fetcher: where a profile trained one of them, what it did not run is not taken for
// cold and compiled for size.
template <class W, size_t kInPairs, size_t T, bool kPacked, class Fetcher>
void DotRows(const RowsArgs& args) {
  using Sink = std::conditional_t<kPacked, PackedDots<W, kInPairs, T>, Dots<W, kInPairs, T>>;
  const DF df;
  // Constants where rows are not whole, which leaves no loop.
  const size_t groups = kWholeRows ? args.groups : 1;
  constexpr bool kByChunks = kWholeRows && !kBlockByBlock<W, kPacked>;
  GroupAt at = args.rows;
  Fetcher ahead(RowsOf<kPacked>(at), args);
  for (size_t g = 0; g < groups; ++g, at.first += kGroup * at.row_bytes) {
    const RowsOf<kPacked> rows(at);
    float* const out = args.out + g * kGroup;
    Sink dots(args.x, args.x_stride);
    if (args.b0 != 0) {
      Unroll<T>([&](size_t t)
                    SMALLMIND_LAMBDA { dots.acc[t] = hn::LoadU(df, out + t * args.out_stride); });
    }
    size_t b = 0;
    do {
      const size_t n = kByChunks ? HWY_MIN(kMaxChunk, args.n - b) : args.n;
      ahead = W::Decode(rows, args.b0 + b, n, ahead, dots);
      dots.EndChunk(n);
      b += n;
    } while (kByChunks && b < args.n);
    Unroll<T>([&](size_t t)
                  SMALLMIND_LAMBDA { hn::StoreU(dots.acc[t], df, out + t * args.out_stride); });
  }
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
