// The byte dot of the quantised kernels, and of the ceiling they are held against.
//
// One instruction where the target has it (VNNI, NEON's dot). Else pairs of products are sums of 16
// bits, and of small weights several are added there before they widen: 9 multiplications and 8
// additions for eight dots of nibbles instead of 16 and 8. Tested through matmul_quant_test.cc on
// every target, with the largest weights and activations there are.
#if defined(SMALLMIND_ENGINE_KERNELS_INT8_DOT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_INT8_DOT_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_INT8_DOT_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_INT8_DOT_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/kernels/in_register-inl.h"
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

// True where a dot is a multiplication of bytes to int16 and one of these to int32.
constexpr bool kPairedDot = HWY_ARCH_X86 && !kUnsignedDot && HWY_TARGET <= HWY_SSSE3;

// How many dots may be added as int16 pairs, a power of two up to a block's eight, for weights
// stored as 0 … most and activations of ±127; 0 where weights need all 8 bits. On targets whose
// dots are one instruction only that difference is left, and where kUnsignedDot none.
constexpr size_t DotsInPairs(int most) {
  if (kUnsignedDot || most > 127) return 0;
  size_t dots = 8;
  while (kPairedDot && static_cast<int>(dots) * 2 * 127 * most > 32767) dots /= 2;
  return dots;
}

using VI16 = hn::Vec<DI16>;

// The products of a lane's four bytes as two sums. kInPairs as of DotsInPairs.
template <size_t kInPairs>
HWY_INLINE VI16 Pairs(VU8 w, VI8 x) {
  if constexpr (kInPairs == 0) {
    // |w|·(x with w's sign): 128·127·2 still fits int16.
    const auto signed_w = hn::BitCast(DI8(), w);
    return hn::SatWidenMulPairwiseAdd(DI16(), hn::BitCast(DU8(), hn::Abs(signed_w)),
                                      hn::IfNegativeThenNegOrUndefIfZero(signed_w, x));
  } else {
    return hn::SatWidenMulPairwiseAdd(DI16(), w, x);
  }
}
HWY_INLINE VI Widened(VI16 pairs) {
  return hn::WidenMulPairwiseAdd(DI(), pairs, hn::Set(DI16(), int16_t{1}));
}

// acc[lane] + the four byte products of the lane, exact. kInPairs as of DotsInPairs; weights of 8
// bits are uint8 where kUnsignedDot, else int8.
template <size_t kInPairs>
HWY_INLINE VI Dot(VU8 w, VI8 x, VI acc) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL
  return hn::SumOfMulQuadAccumulate(DI(), w, x, acc);
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3
  return hn::Add(acc, Widened(Pairs<kInPairs>(w, x)));
#elif HWY_ARCH_ARM_A64 && (HWY_TARGET == HWY_NEON_BF16 || defined(__ARM_FEATURE_DOTPROD))
  return VI(vdotq_s32(acc.raw, hn::BitCast(DI8(), w).raw, x.raw));
#else
  // Bytes up to 127 are as good signed.
  return hn::SumOfMulQuadAccumulate(DI(), hn::BitCast(DI8(), w), x, acc);
#endif
}

// Dot number `step`, from 0, of a sum: after every kInPairs of them `sum` is whole. GCC 12 computes
// all products of a tile first, where a dot is several instructions, and keeps them in memory until
// it adds them, unless each sum is wanted at once.
template <size_t kInPairs>
HWY_INLINE void AddDot(size_t step, VU8 w, VI8 x, VI16& pairs, VI& sum) {
  if constexpr (kPairedDot && kInPairs > 1) {
    const VI16 two = Pairs<kInPairs>(w, x);
    pairs = InRegister(step % kInPairs == 0 ? two : hn::Add(pairs, two));
    if ((step + 1) % kInPairs == 0) sum = hn::Add(sum, Widened(pairs));
  } else {
    (void)step;
    (void)pairs;
    sum = Dot<kInPairs>(w, x, sum);
    if constexpr (kPairedDot) sum = InRegister(sum);
  }
}

// Where dots are pairs, weights of 8 bits meet many tokens as magnitude and sign: |w|·(x ^ sign) is
// w·x, less |w| where w is negative, whatever x is. What is missing is the weights' alone and added
// once for all tokens. An exclusive or finds a port beside the multipliers, where a negation by
// sign takes one of theirs, two of three slots a dot: Zen 4 without AVX-512, Q8_0, prompts of 128
// tokens 1.17 to 1.22 times as fast, 16 and 4 sequences 1.12 and 1.07.
template <size_t kInPairs>
constexpr bool kBySigns = kInPairs == 0 && kPairedDot;

struct SignedWeights {
  VU8 magnitude;
  VI8 sign;  // 0 or −1
  SignedWeights() = default;
  HWY_INLINE explicit SignedWeights(VU8 bytes)
      : magnitude(hn::BitCast(DU8(), hn::Abs(hn::BitCast(DI8(), bytes)))),
        sign(hn::BroadcastSignBit(hn::BitCast(DI8(), bytes))) {}

  // −Σ|w| of each lane's negative ones, as two sums.
  HWY_INLINE VI16 Missing() const { return Pairs<1>(magnitude, sign); }
};
template <size_t kInPairs>
using DotWeights = std::conditional_t<kBySigns<kInPairs>, SignedWeights, VU8>;

template <size_t kInPairs>
HWY_INLINE void AddDot(size_t, const SignedWeights& w, VI8 x, VI16&, VI& sum) {
  static_assert(kBySigns<kInPairs>);
  sum = InRegister(hn::Add(sum, Widened(Pairs<1>(w.magnitude, hn::Xor(x, w.sign)))));
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
