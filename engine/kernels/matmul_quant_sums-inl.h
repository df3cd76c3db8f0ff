// What becomes of a block's integer sums: one to three tokens' results, block after block.
//
// Byte dots of a row group (matmul_quant_gemv-inl.h) leave a vector of sums a block and token, lane
// = row; with the block's factors it advances the token's accumulator by the order contract
// (order.h). Sums are used as they come, or wait until a chunk is decoded.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_SUMS_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_SUMS_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_SUMS_INL_H_
#endif

#include <type_traits>

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

// What a chunk's blocks have beside their bytes; lane = row.
struct Factors {
  HWY_ALIGN float scale[kMaxChunk][kGroup];
  HWY_ALIGN float second[kMaxChunk][kGroup];     // ws2 or wm (Q2_K: wm/128)
  HWY_ALIGN int32_t mins[kMaxChunk][2][kGroup];  // Q2_K: the two integers of a block

  HWY_INLINE void StoreScale(size_t block, VF v) { hn::Store(v, DF(), scale[block]); }
  HWY_INLINE void StoreSecond(size_t block, VF v) { hn::Store(v, DF(), second[block]); }
  HWY_INLINE void StoreMin(size_t block, size_t half, VI v) {
    hn::Store(v, DI(), mins[block][half]);
  }
  HWY_INLINE VF Scale(size_t block) const { return hn::Load(DF(), scale[block]); }
  HWY_INLINE VF Second(size_t block) const { return hn::Load(DF(), second[block]); }
  HWY_INLINE VI Min(size_t block, size_t half) const { return hn::Load(DI(), mins[block][half]); }
};
// The same of the one block that is being decoded, in registers.
struct BlockFactors {
  VF scale, second;

  BlockFactors() : scale(hn::Zero(DF())), second(hn::Zero(DF())) {}
  HWY_INLINE void StoreScale(size_t, VF v) { scale = v; }
  HWY_INLINE void StoreSecond(size_t, VF v) { second = v; }
  HWY_INLINE VF Scale(size_t) const { return scale; }
  HWY_INLINE VF Second(size_t) const { return second; }
};

// acc after block b of the order contract. isum: Σ of raw bytes times activations over the block,
// from Start() on; for kTwoScale `first` is that over its first 16 columns, and isum, from 0 on,
// over its last.
template <QuantForm kForm, int kRaw>
HWY_INLINE VF Advance(const auto& w, size_t b, VI isum, VI first, const ActBlock& x, VF acc) {
  const DI di;
  const DF df;
  const Factor scale(w.Scale(b));
  VF t;
  if constexpr (kForm == QuantForm::kTwoScale) {
    t = Scaled(scale, Signed<kRaw>(first, x.bias_lo));
    t = hn::MulAdd(w.Second(b), SignedSecond<kRaw>(isum, x), t);
  } else {
    t = Scaled(scale, Signed<kRaw>(isum, x.bias));
  }
  if constexpr (kForm == QuantForm::kMin) {
    t = hn::NegMulAdd(w.Second(b), hn::Set(df, x.sum), t);
  } else if constexpr (kForm == QuantForm::kTwoMin) {
    // −128·Σ min·x, and wm/128 in the factors: both exact, so the product is the contract's.
    const auto low = hn::Mul(w.Min(b, 0), hn::Set(di, x.low_bias()));
    const auto high = hn::Mul(w.Min(b, 1), hn::Set(di, x.high_bias()));
    t = hn::MulAdd(w.Second(b), hn::ConvertTo(df, hn::Add(low, high)), t);
  }
  return hn::MulAdd(hn::Set(df, x.d), t, acc);
}

// T rows of activations, from a chunk's first block on, and what its blocks' sums do to acc. (What
// has vectors has written constructors, down to the sinks: one that GCC makes would lack the
// target's attributes.)
template <class W, size_t T>
struct Sums {
  static constexpr bool kHalves = W::kForm == QuantForm::kTwoScale;
  const uint8_t* x;  // the first token's blocks
  size_t x_stride;
  VF acc[T];

  Sums(const uint8_t* acts, size_t stride) : x(acts), x_stride(stride) {
    Unroll<T>([&](size_t t) SMALLMIND_LAMBDA { acc[t] = hn::Zero(DF()); });
  }
  HWY_INLINE const ActBlock& Acts(size_t t, size_t block) const {
    return reinterpret_cast<const ActBlock*>(x + t * x_stride)[block];
  }
};

// Sums wait until a chunk is decoded.
template <class W, size_t T>
struct SumsOfChunk : Sums<W, T>, Factors {
  using Base = Sums<W, T>;
  using Base::acc, Base::Acts, Base::kHalves;
  HWY_ALIGN int32_t sums[T][kMaxChunk][kHalves ? 2 : 1][kGroup];

  SumsOfChunk(const uint8_t* acts, size_t stride) : Base(acts, stride) {}
  // Of a block, or of its `half`.
  HWY_INLINE void Take(size_t t, size_t block, size_t half, VI sum) {
    hn::Store(sum, DI(), sums[t][block][kHalves ? half : 0]);
  }
  HWY_INLINE void EndChunk(size_t n) {
    const DI di;
    for (size_t b = 0; b < n; ++b) {
      Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
        const VI first = hn::Load(di, sums[t][b][0]);
        const VI isum = hn::Load(di, sums[t][b][kHalves ? 1 : 0]);
        acc[t] = Advance<W::kForm, W::kRaw>(*this, b, isum, first, Acts(t, b), acc[t]);
      });
    }
    Base::x += n * sizeof(ActBlock);
  }
};

// Whether a block is put right after its own factors.
template <class W, bool kPacked>
constexpr bool kBlockByBlock = W::kColumns == 32 && !kPacked;

// Sums are used as they come, which takes registers alone. Of types that decode their blocks in
// order.
template <class W, size_t T, bool kPacked>
struct SumsOfBlock : Sums<W, T>,
                     std::conditional_t<kBlockByBlock<W, kPacked>, BlockFactors, Factors> {
  using Base = Sums<W, T>;
  using Base::acc, Base::Acts;

  SumsOfBlock(const uint8_t* acts, size_t stride) : Base(acts, stride) {}
  HWY_INLINE void Take(size_t t, size_t block, size_t, VI sum) {
    acc[t] = Advance<W::kForm, W::kRaw>(*this, block, sum, sum, Acts(t, block), acc[t]);
  }
  HWY_INLINE void EndChunk(size_t n) { Base::x += n * sizeof(ActBlock); }
};

template <class W, size_t T, bool kPacked>
using SumsOf = std::conditional_t<kWholeRows && W::kForm != QuantForm::kTwoScale,
                                  SumsOfBlock<W, T, kPacked>, SumsOfChunk<W, T>>;

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
