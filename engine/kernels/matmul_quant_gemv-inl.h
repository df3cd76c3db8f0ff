// A few tokens: every weight byte is used once or twice, so rows stream from memory.
//
// A group of N rows advances together, 32 columns a step: byte dots leave four partial sums a row,
// a transposing sum (SumBlocks) turns them into one vector with lane = row, and one multiply and
// fma serve the whole group. Rows are contiguous, so the group's bytes are one range; while it is
// worked on, the next group's range is prefetched in address order, which is what DRAM likes best.
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

// t of the order contract for one block of 32 columns; isum2 is read for kTwoScale alone.
template <QuantForm kForm>
HWY_INLINE VF BlockTerm(const Factors& f, size_t b, VI isum, VI isum2, const ActBlock& x) {
  const DI di;
  const DF df;
  const auto scale = hn::Load(df, f.scale + b * kGroup);
  VF t = hn::Mul(scale, hn::ConvertTo(df, isum));
  if constexpr (kForm == QuantForm::kTwoScale) {
    t = hn::MulAdd(hn::Load(df, f.second + b * kGroup), hn::ConvertTo(df, isum2), t);
  } else if constexpr (kForm == QuantForm::kMin) {
    t = hn::NegMulAdd(hn::Load(df, f.second + b * kGroup), hn::Set(df, x.sum), t);
  } else if constexpr (kForm == QuantForm::kTwoMin) {
    // −128·Σ min·x, and wm/128 in the factors: both exact, so the product is the contract's.
    const auto low = hn::Mul(hn::Load(di, f.mins + 2 * b * kGroup), hn::Set(di, x.bias_lo));
    const auto high =
        hn::Mul(hn::Load(di, f.mins + (2 * b + 1) * kGroup), hn::Set(di, x.bias - x.bias_lo));
    t = hn::MulAdd(hn::Load(df, f.second + b * kGroup), hn::ConvertTo(df, hn::Add(low, high)), t);
  }
  return t;
}

// A group of rows at `first` times one or two tokens: out[t·out_stride + lane]. `next` is where to
// prefetch from, as many bytes as the group has; null for nothing.
struct GemvArgs {
  const uint8_t* first;
  size_t row_bytes;
  size_t blocks;  // of 32 columns
  const uint8_t* x;
  size_t x_stride;
  const uint8_t* next;
  float* out;
  size_t out_stride;
};
using GemvKernel = void (*)(const GemvArgs&);

template <class W, size_t T>
void GemvGroup(const GemvArgs& args) {
  const size_t blocks = args.blocks, x_stride = args.x_stride;
  const uint8_t* HWY_RESTRICT x = args.x;
  const uint8_t* next = args.next;
  const DI8 di8;
  const DI di;
  const DF df;
  const RowGroup rows(args.first, args.row_bytes);
  const size_t ahead = kGroup * W::kBytes * 32 / W::kColumns;  // bytes of a step, all rows
  VF acc[T];
  Unroll<T>([&](auto t) SMALLMIND_LAMBDA { acc[t] = hn::Zero(df); });
  Factors factors;
  for (size_t b0 = 0; b0 < blocks; b0 += kMaxChunk) {
    const size_t n = HWY_MIN(kMaxChunk, blocks - b0);
    W::Scales(rows, b0, n, factors);
    for (size_t b = 0; b < n; ++b) {
      if (next != nullptr) {
        PrefetchRange(next, ahead);
        next += ahead;
      }
      const uint8_t* at = x + (b0 + b) * sizeof(ActBlock);
      constexpr bool kHalves = W::kForm == QuantForm::kTwoScale;
      VI low[T][4], high[T][4];
      Unroll<4>([&](auto i) SMALLMIND_LAMBDA {
        VU8 w_lo, w_hi;
        W::template Quants<i>(rows, b0 + b, factors, w_lo, w_hi);
        Unroll<T>([&](auto t) SMALLMIND_LAMBDA {
          const auto* q = reinterpret_cast<const int8_t*>(at + t * x_stride);
          const auto x_lo = hn::LoadDup128(di8, q);
          const auto x_hi = hn::LoadDup128(di8, q + 16);
          low[t][i] = Dot<W::kWide>(w_lo, x_lo, hn::Zero(di));
          if constexpr (kHalves) {
            high[t][i] = Dot<W::kWide>(w_hi, x_hi, hn::Zero(di));
          } else {
            low[t][i] = Dot<W::kWide>(w_hi, x_hi, low[t][i]);
          }
        });
      });
      Unroll<T>([&](auto t) SMALLMIND_LAMBDA {
        const auto& block = *reinterpret_cast<const ActBlock*>(at + t * x_stride);
        VI isum = SumBlocks(low[t][0], low[t][1], low[t][2], low[t][3]);
        VI isum2 = isum;
        if constexpr (kHalves) {
          isum = hn::Add(isum, Surplus<W>(block.bias_lo));
          isum2 = hn::Add(SumBlocks(high[t][0], high[t][1], high[t][2], high[t][3]),
                          Surplus<W>(block.bias - block.bias_lo));
        } else {
          isum = hn::Add(isum, Surplus<W>(block.bias));
        }
        const VF term = BlockTerm<W::kForm>(factors, b, isum, isum2, block);
        acc[t] = hn::MulAdd(hn::Set(df, block.d), term, acc[t]);
      });
    }
  }
  Unroll<T>([&](auto t)
                SMALLMIND_LAMBDA { hn::StoreU(acc[t], df, args.out + t * args.out_stride); });
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
