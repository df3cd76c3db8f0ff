// A few tokens: every weight byte is used once or twice, so rows stream from memory.
//
// A group of N rows advances together, 32 columns a step: byte dots leave four partial sums a row,
// a transposing sum (SumBlocks) turns them into one vector with lane = row, and one multiply and
// fma serve the whole group. Rows are contiguous, so the group's bytes are one range; while it is
// worked on, what comes next in memory is prefetched in address order, which is what DRAM likes
// best.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_GEMV_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_GEMV_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_GEMV_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_GEMV_INL_H_
#endif

#include "engine/kernels/matmul_quant_dot-inl.h"
#include "engine/kernels/matmul_quant_types-inl.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace quant {

// A chunk times T tokens, fetching ahead once a block.
struct DotArgs {
  const Chunk& chunk;
  size_t blocks;     // of 32 columns, of the chunk
  const uint8_t* x;  // the tokens' blocks for it
  size_t x_stride;
  int raw;
  Ahead ahead;
  float* acc;  // [t][lane], continued
};
using DotKernel = void (*)(const DotArgs&);

// t of the order contract for block b; isum2 is read for kTwoScale alone.
template <QuantForm kForm>
HWY_INLINE VF BlockTerm(const Chunk& chunk, size_t b, VI isum, VI isum2, const ActBlock& x) {
  const DI di;
  const DF df;
  VF t = hn::Mul(hn::Load(df, chunk.scale[b]), hn::ConvertTo(df, isum));
  if constexpr (kForm == QuantForm::kTwoScale) {
    t = hn::MulAdd(hn::Load(df, chunk.second[b]), hn::ConvertTo(df, isum2), t);
  } else if constexpr (kForm == QuantForm::kMin) {
    t = hn::NegMulAdd(hn::Load(df, chunk.second[b]), hn::Set(df, x.sum), t);
  } else if constexpr (kForm == QuantForm::kTwoMin) {
    // −128·Σ min·x, and wm/128 in the factors: both exact, so the product is the contract's.
    const auto low = hn::Mul(hn::Load(di, chunk.mins[2 * b]), hn::Set(di, x.bias_lo));
    const auto high = hn::Mul(hn::Load(di, chunk.mins[2 * b + 1]), hn::Set(di, x.bias - x.bias_lo));
    t = hn::MulAdd(hn::Load(df, chunk.second[b]), hn::ConvertTo(df, hn::Add(low, high)), t);
  }
  return t;
}

// What to add to a dot of raw bytes with activations so that it becomes the signed sum: bias is
// −128·Σx.
template <QuantForm kForm>
HWY_INLINE VI Signed(VI isum, int32_t bias, int raw) {
  if constexpr (kForm == QuantForm::kMin || kForm == QuantForm::kTwoMin) return isum;
  return hn::Add(isum, hn::Set(DI(), (bias >> 7) * raw));
}

template <QuantForm kForm, bool kWide, size_t T>
void DotChunk(const DotArgs& args) {
  constexpr bool kHalves = kForm == QuantForm::kTwoScale;
  const DI8 di8;
  const DI di;
  const DF df;
  const uint8_t* HWY_RESTRICT at = args.x;
  Ahead ahead = args.ahead;
  VF acc[T];
  Unroll<T>([&](auto t) SMALLMIND_LAMBDA { acc[t] = hn::Load(df, args.acc + t * kGroup); });
  for (size_t b = 0; b < args.blocks; ++b, at += sizeof(ActBlock)) {
    ahead.Fetch();
    VI low[T][4], high[T][4];
    Unroll<4>([&](auto i) SMALLMIND_LAMBDA {
      const VU8 w_lo = hn::Load(DU8(), args.chunk.bytes[b][0][i]);
      const VU8 w_hi = hn::Load(DU8(), args.chunk.bytes[b][1][i]);
      Unroll<T>([&](auto t) SMALLMIND_LAMBDA {
        const auto* q = reinterpret_cast<const int8_t*>(at + t * args.x_stride);
        low[t][i] = Dot<kWide>(w_lo, hn::LoadDup128(di8, q), hn::Zero(di));
        high[t][i] =
            Dot<kWide>(w_hi, hn::LoadDup128(di8, q + 16), kHalves ? hn::Zero(di) : low[t][i]);
      });
    });
    Unroll<T>([&](auto t) SMALLMIND_LAMBDA {
      const auto& x = *reinterpret_cast<const ActBlock*>(at + t * args.x_stride);
      VI isum = SumBlocks(high[t][0], high[t][1], high[t][2], high[t][3]);
      VI isum2 = isum;
      if constexpr (kHalves) {
        isum2 = Signed<kForm>(isum, x.bias - x.bias_lo, args.raw);
        isum = Signed<kForm>(SumBlocks(low[t][0], low[t][1], low[t][2], low[t][3]), x.bias_lo,
                             args.raw);
      } else {
        isum = Signed<kForm>(isum, x.bias, args.raw);
      }
      acc[t] =
          hn::MulAdd(hn::Set(df, x.d), BlockTerm<kForm>(args.chunk, b, isum, isum2, x), acc[t]);
    });
  }
  Unroll<T>([&](auto t) SMALLMIND_LAMBDA { hn::Store(acc[t], df, args.acc + t * kGroup); });
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
