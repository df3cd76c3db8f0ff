// The byte dot of the quantised kernels, and of the ceiling they are held against.
//
// One instruction where the target has it (VNNI, NEON's dot), else three. Tested through
// matmul_quant_test.cc on every target.
#if defined(SMALLMIND_ENGINE_KERNELS_INT8_DOT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_INT8_DOT_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_INT8_DOT_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_INT8_DOT_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace quant {
namespace hn = hwy::HWY_NAMESPACE;

static_assert(!HWY_HAVE_SCALABLE && HWY_TARGET != HWY_SCALAR,
              "a register count must be a constant");

using DI = hn::CappedTag<int32_t, 16>;
using DU8 = hn::Repartition<uint8_t, DI>;
using DI8 = hn::Repartition<int8_t, DI>;
using DI16 = hn::Repartition<int16_t, DI>;
using VI = hn::Vec<DI>;
using VU8 = hn::Vec<DU8>;
using VI8 = hn::Vec<DI8>;

// True where the byte dot multiplies any uint8 by int8 exactly in one instruction (VNNI). There
// signed weights are stored plus 128, and ActBlock::bias takes the surplus off again.
constexpr bool kUnsignedDot = HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL;

// acc[lane] + the four byte products of the lane, exact. kWide: weights use all 8 bits (uint8 where
// kUnsignedDot, else int8 ≥ −128); otherwise they are uint8 ≤ 127, for which no pair of products
// exceeds int16.
template <bool kWide>
HWY_INLINE VI Dot(VU8 w, VI8 x, VI acc) {
  const DI di;
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL
  return hn::SumOfMulQuadAccumulate(di, w, x, acc);
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3
  const DI16 di16;
  const auto ones = hn::Set(di16, int16_t{1});
  if constexpr (kWide) {
    // |w|·(x with w's sign): 128·127·2 still fits int16.
    const auto signed_w = hn::BitCast(DI8(), w);
    const auto magnitude = hn::BitCast(DU8(), hn::Abs(signed_w));
    const auto pairs = hn::SatWidenMulPairwiseAdd(di16, magnitude,
                                                  hn::IfNegativeThenNegOrUndefIfZero(signed_w, x));
    return hn::Add(acc, hn::WidenMulPairwiseAdd(di, pairs, ones));
  } else {
    return hn::Add(acc, hn::WidenMulPairwiseAdd(di, hn::SatWidenMulPairwiseAdd(di16, w, x), ones));
  }
#elif HWY_ARCH_ARM_A64 && (HWY_TARGET == HWY_NEON_BF16 || defined(__ARM_FEATURE_DOTPROD))
  (void)di;
  return VI(vdotq_s32(acc.raw, hn::BitCast(DI8(), w).raw, x.raw));
#else
  // Bytes up to 127 are as good signed.
  return hn::SumOfMulQuadAccumulate(di, hn::BitCast(DI8(), w), x, acc);
#endif
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
