// exp and tanh in float32: polynomials of our own, the same operations in every target.
//
// exp: n = round(x·log2 e) by the 1.5·2^23 trick, r = x − n·ln 2 in two parts (Cody and Waite: n·hi
// is exact), e^r = 1 + (r + r²·q(r)) with q the minimax polynomial of degree 4 (relative error 3e-9
// on |r| ≤ 0.3475), then two multiplications by powers of two, so that results below 2^-126 round
// once. Within 1 ulp; e^0 is exactly 1 and e^-inf exactly 0. tanh: through expm1, no cancellation
// near 0. float_oracle.h has the same in scalar code; ops_test.cc holds both against double.
#if defined(SMALLMIND_ENGINE_KERNELS_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATH_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATH_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATH_INL_H_
#endif

#include "engine/kernels/exp_constants.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// n of 1.5·2^23 + n.
template <class D>
HWY_INLINE hn::Vec<D> FloatOf(D d, hn::Vec<D> shifted) {
  return hn::Sub(shifted, hn::Set(d, kExpMagic));
}
template <class D>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> IntOf(D d, hn::Vec<D> shifted) {
  const hn::RebindToSigned<D> di;
  return hn::Sub(hn::BitCast(di, shifted), hn::BitCast(di, hn::Set(d, kExpMagic)));
}

// e^x = (1 + p)·2^n; `shifted` is 1.5·2^23 + n.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void ExpParts(D d, V x, V& p, V& shifted) {
  shifted = hn::MulAdd(x, hn::Set(d, kLog2E), hn::Set(d, kExpMagic));
  const V n = FloatOf(d, shifted);
  const V r = hn::NegMulAdd(n, hn::Set(d, kLn2Lo), hn::NegMulAdd(n, hn::Set(d, kLn2Hi), x));
  V q = hn::MulAdd(hn::Set(d, kExpQ4), r, hn::Set(d, kExpQ3));
  q = hn::MulAdd(q, r, hn::Set(d, kExpQ2));
  q = hn::MulAdd(q, r, hn::Set(d, kExpQ1));
  q = hn::MulAdd(q, r, hn::Set(d, kExpQ0));
  p = hn::MulAdd(hn::Mul(r, r), q, r);
}

// 2^n for n in [-126, 127].
template <class D, class VI = hn::Vec<hn::RebindToSigned<D>>>
HWY_INLINE hn::Vec<D> PowerOfTwo(D d, VI n) {
  const hn::RebindToSigned<D> di;
  return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(n, hn::Set(di, 127))));
}

// The greater and the lesser of x and a number, NaN where x is: of two operands x86 returns the
// second then, other targets the number.
constexpr bool kSecondIfNan = HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128;
template <class V>
HWY_INLINE V AtLeast(V low, V x) {
  return kSecondIfNan ? hn::Max(low, x) : hn::IfThenElse(hn::Lt(x, low), low, x);
}
template <class V>
HWY_INLINE V AtMost(V high, V x) {
  return kSecondIfNan ? hn::Min(high, x) : hn::IfThenElse(hn::Gt(x, high), high, x);
}

// A NaN stays a NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Exp(D d, V x) {
  const V low = hn::Set(d, kExpMin), high = hn::Set(d, kExpMax), one = hn::Set(d, 1.0f);
  V p, shifted;
  // What is 0 is made so: to underflow costs Intel's processors more than a hundred cycles, and
  // masked scores are −∞.
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
  // y·2^n rounded once, in one instruction: the two multiplications below round once too.
  if constexpr (HWY_MAX_LANES_D(D) == 16) {
    ExpParts(d, AtMost(high, x), p, shifted);
    const auto more = _mm512_cmp_ps_mask(x.raw, low.raw, _CMP_NLE_UQ);
    return V{_mm512_maskz_scalef_ps(more, hn::Add(p, one).raw, FloatOf(d, shifted).raw)};
  }
#endif
  ExpParts(d, AtMost(high, AtLeast(low, x)), p, shifted);
  const V y = hn::IfThenZeroElse(hn::Le(x, low), hn::Add(p, one));
  const auto whole = IntOf(d, shifted), half = hn::ShiftRight<1>(whole);
  return hn::Mul(hn::Mul(y, PowerOfTwo(d, half)), PowerOfTwo(d, hn::Sub(whole, half)));
}

// tanh|x| = m/(m + 2), m = e^{2|x|} − 1 = 2^n·p + (2^n − 1).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Tanh(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  const V twice = AtMost(hn::Set(d, kTanhMax), hn::Abs(hn::Add(x, x)));
  V p, shifted;
  ExpParts(d, twice, p, shifted);
  const V s = PowerOfTwo(d, IntOf(d, shifted));
  const V m = hn::MulAdd(s, p, hn::Sub(s, one));
  return hn::CopySign(hn::Div(m, hn::Add(m, hn::Set(d, 2.0f))), x);
}

// x·sigmoid(z): silu is z = x.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V MulSigmoid(D d, V x, V z) {
  return hn::Div(x, hn::Add(Exp(d, hn::Neg(z)), hn::Set(d, 1.0f)));
}

// ½x(1 + tanh(u)) = x·sigmoid(2u), u = √(2/π)·(x + 0.044715·x³).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V GeluTanhOf(D d, V x) {
  const V inner = hn::MulAdd(hn::Mul(x, x), hn::Set(d, kGeluC3), hn::Set(d, kGeluC1));
  return MulSigmoid(d, x, hn::Mul(x, inner));
}

// GELU as GGUF models are run everywhere: a function of F16, tabulated by the field's engines.
// Argument and result are rounded to F16, but ≤ −10 gives 0 and ≥ 10 the argument itself.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V GeluTanhF16(D d, V x) {
  const hn::Rebind<hwy::float16_t, D> dh;
  const V half = hn::PromoteTo(d, hn::DemoteTo(dh, x));
  const V y = hn::PromoteTo(d, hn::DemoteTo(dh, GeluTanhOf(d, half)));
  const V low = hn::IfThenZeroElse(hn::Le(x, hn::Set(d, -10.0f)), y);
  return hn::IfThenElse(hn::Lt(x, hn::Set(d, 10.0f)), low, x);  // NaN, which F16 may lose, is x
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V SoftCapOf(D d, V x, V cap) {
  return hn::Mul(cap, Tanh(d, hn::Div(x, cap)));
}

}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // SMALLMIND_ENGINE_KERNELS_MATH_INL_H_
