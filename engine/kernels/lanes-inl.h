// The 16 virtual lanes of the order contract (order.h) over registers of 16, 8 or 4 float lanes.
//
// Included once per Highway target (Highway's -inl.h convention). A `V16` is the whole set of
// virtual lanes; on narrower targets it is two or four registers, so every lane sees the same
// operations in the same order.
#if defined(SMALLMIND_ENGINE_KERNELS_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_LANES_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_LANES_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_LANES_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "engine/kernels/order.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

static_assert(!HWY_HAVE_SCALABLE && HWY_TARGET != HWY_SCALAR,
              "register counts must be compile-time constants");

using DF = hn::CappedTag<float, kVirtualLanes>;
using VF = hn::Vec<DF>;
using DH = hn::Rebind<hwy::float16_t, DF>;
constexpr size_t kLanes = HWY_MAX_LANES_D(DF);    // floats in one register
constexpr size_t kRegs = kVirtualLanes / kLanes;  // registers of one V16

struct V16 {
  HWY_INLINE V16() {}  // GCC gives an implicit one no target attribute: it fails on NEON
  VF r[kRegs];
};

HWY_INLINE V16 Zero16() {
  V16 v;
  for (size_t i = 0; i < kRegs; ++i) v.r[i] = hn::Zero(DF());
  return v;
}

HWY_INLINE V16 Set16(float x) {
  V16 v;
  for (size_t i = 0; i < kRegs; ++i) v.r[i] = hn::Set(DF(), x);
  return v;
}

HWY_INLINE V16 Load16(const float* HWY_RESTRICT p) {
  V16 v;
  for (size_t i = 0; i < kRegs; ++i) v.r[i] = hn::LoadU(DF(), p + i * kLanes);
  return v;
}

// The first n ≤ 16 elements, zero elsewhere. Reads no byte beyond them.
HWY_INLINE V16 LoadN16(const float* HWY_RESTRICT p, size_t n) {
  V16 v;
  for (size_t i = 0; i < kRegs; ++i) {
    const size_t left = n > i * kLanes ? n - i * kLanes : 0;
    v.r[i] = hn::LoadN(DF(), p + (left == 0 ? 0 : i * kLanes), left);
  }
  return v;
}

// F16 elements widen exactly.
HWY_INLINE V16 Load16(const hwy::float16_t* HWY_RESTRICT p) {
  V16 v;
  for (size_t i = 0; i < kRegs; ++i) {
    v.r[i] = hn::PromoteTo(DF(), hn::LoadU(DH(), p + i * kLanes));
  }
  return v;
}

HWY_INLINE V16 LoadN16(const hwy::float16_t* HWY_RESTRICT p, size_t n) {
  HWY_ALIGN hwy::float16_t padded[kVirtualLanes] = {};
  hwy::CopyBytes(p, padded, n * sizeof(hwy::float16_t));
  return Load16(padded);
}

HWY_INLINE void Store16(V16 v, float* HWY_RESTRICT p) {
  for (size_t i = 0; i < kRegs; ++i) hn::StoreU(v.r[i], DF(), p + i * kLanes);
}

HWY_INLINE void StoreN16(V16 v, float* HWY_RESTRICT p, size_t n) {
  for (size_t i = 0; i < kRegs; ++i) {
    const size_t left = n > i * kLanes ? n - i * kLanes : 0;
    if (left != 0) hn::StoreN(v.r[i], DF(), p + i * kLanes, left);
  }
}

// Widens a row of F16.
HWY_INLINE void WidenRow(const hwy::float16_t* HWY_RESTRICT src, size_t n,
                         float* HWY_RESTRICT out) {
  size_t i = 0;
  for (; i + kVirtualLanes <= n; i += kVirtualLanes) Store16(Load16(src + i), out + i);
  if (i < n) StoreN16(LoadN16(src + i, n - i), out + i, n - i);
}

HWY_INLINE V16 Add16(V16 a, V16 b) {
  for (size_t i = 0; i < kRegs; ++i) a.r[i] = hn::Add(a.r[i], b.r[i]);
  return a;
}

HWY_INLINE V16 Mul16(V16 a, V16 b) {
  for (size_t i = 0; i < kRegs; ++i) a.r[i] = hn::Mul(a.r[i], b.r[i]);
  return a;
}

HWY_INLINE V16 MulAdd16(V16 a, V16 b, V16 c) {
  for (size_t i = 0; i < kRegs; ++i) c.r[i] = hn::MulAdd(a.r[i], b.r[i], c.r[i]);
  return c;
}

// Largest magnitude of n registers; NaN where there is one: as integers the bits of magnitudes
// order so, on every target and in any order, which the maximum of floats does not.
HWY_INLINE float Peak(const VF* HWY_RESTRICT v, size_t n) {
  const hn::RebindToSigned<DF> di;
  auto top = hn::Zero(di);
  for (size_t i = 0; i < n; ++i) top = hn::Max(top, hn::BitCast(di, hn::Abs(v[i])));
  const int32_t bits = hn::ReduceMax(di, top);
  float peak;
  hwy::CopySameSize(&bits, &peak);
  return peak;
}

// 127 / peak; 0 where that would overflow and for NaN.
HWY_INLINE float Inverse127(float peak) { return peak >= 1e-30f ? 127.0f / peak : 0.0f; }

// A register of x·factor rounded to integers; NaN (also ∞·0) gives 0, for targets differ there.
HWY_INLINE hn::Vec<hn::RebindToSigned<DF>> RoundScaled(VF x, VF factor) {
  const VF scaled = hn::Mul(x, factor);
  return hn::NearestInt(hn::IfThenElseZero(hn::Eq(scaled, scaled), scaled));
}

// The contract's tree over 16 stored lanes.
HWY_INLINE float Tree16(float* HWY_RESTRICT lanes) {
  for (size_t half = kVirtualLanes / 2; half != 0; half /= 2) {
    for (size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

HWY_INLINE float Sum16(V16 v) {
  HWY_ALIGN float lanes[kVirtualLanes];
  Store16(v, lanes);
  return Tree16(lanes);
}

// Stages i+8 and i+4 of the tree for four accumulators: 16 floats, block j = accumulator j's four
// partials.
HWY_INLINE V16 Fold4(const V16& a, const V16& b, const V16& c, const V16& d) {
  V16 out;
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3  // 16 lanes
  const DF df;
  const VF ab = hn::Add(hn::ConcatLowerLower(df, b.r[0], a.r[0]),
                        hn::ConcatUpperUpper(df, b.r[0], a.r[0]));  // a a b b in blocks of 4
  const VF cd =
      hn::Add(hn::ConcatLowerLower(df, d.r[0], c.r[0]), hn::ConcatUpperUpper(df, d.r[0], c.r[0]));
  const VF even{_mm512_shuffle_f32x4(ab.raw, cd.raw, 0x88)};
  const VF odd{_mm512_shuffle_f32x4(ab.raw, cd.raw, 0xDD)};
  out.r[0] = hn::Add(even, odd);
#else
  static_assert(kLanes == 8 || kLanes == 4);
  if constexpr (kLanes == 8) {
    const DF df;
    const VF a8 = hn::Add(a.r[0], a.r[1]);
    const VF b8 = hn::Add(b.r[0], b.r[1]);
    const VF c8 = hn::Add(c.r[0], c.r[1]);
    const VF d8 = hn::Add(d.r[0], d.r[1]);
    out.r[0] = hn::Add(hn::ConcatLowerLower(df, b8, a8), hn::ConcatUpperUpper(df, b8, a8));
    out.r[1] = hn::Add(hn::ConcatLowerLower(df, d8, c8), hn::ConcatUpperUpper(df, d8, c8));
  } else {
    const V16* in[4] = {&a, &b, &c, &d};
    for (size_t j = 0; j < 4; ++j) {
      out.r[j % kRegs] = hn::Add(hn::Add(in[j]->r[0], in[j]->r[2 % kRegs]),
                                 hn::Add(in[j]->r[1], in[j]->r[3 % kRegs]));
    }
  }
#endif
  return out;
}

// Stages i+2 and i+1: out[4·j + i] = sum of accumulator j of fold i.
HWY_INLINE V16 Finish4(const V16& f0, const V16& f1, const V16& f2, const V16& f3) {
  const DF df;
  const hn::Repartition<double, DF> dd;
  V16 out;
  for (size_t i = 0; i < kRegs; ++i) {
    const VF s01 = hn::Add(hn::InterleaveLower(df, f0.r[i], f1.r[i]),
                           hn::InterleaveUpper(df, f0.r[i], f1.r[i]));
    const VF s23 = hn::Add(hn::InterleaveLower(df, f2.r[i], f3.r[i]),
                           hn::InterleaveUpper(df, f2.r[i], f3.r[i]));
    const auto d01 = hn::BitCast(dd, s01);
    const auto d23 = hn::BitCast(dd, s23);
    out.r[i] = hn::Add(hn::BitCast(df, hn::InterleaveLower(dd, d01, d23)),
                       hn::BitCast(df, hn::InterleaveUpper(dd, d01, d23)));
  }
  return out;
}

// out[4·j + i] = tree sum of acc[4·i + j]: a transposing reduction, 45 operations for 16 sums.
HWY_INLINE V16 Reduce16(const V16* HWY_RESTRICT acc) {
  return Finish4(Fold4(acc[0], acc[1], acc[2], acc[3]), Fold4(acc[4], acc[5], acc[6], acc[7]),
                 Fold4(acc[8], acc[9], acc[10], acc[11]),
                 Fold4(acc[12], acc[13], acc[14], acc[15]));
}

// out[j] = tree sum of acc[j], four at once.
HWY_INLINE void Reduce4(const V16* HWY_RESTRICT acc, float* HWY_RESTRICT out) {
  const V16 fold = Fold4(acc[0], acc[1], acc[2], acc[3]);
  HWY_ALIGN float sums[kVirtualLanes];
  Store16(Finish4(fold, fold, fold, fold), sums);
  for (size_t j = 0; j < 4; ++j) out[j] = sums[4 * j];
}

// Writes the four blocks of 4 lanes `stride` floats apart.
HWY_INLINE void StoreBlocks(V16 v, float* HWY_RESTRICT p, size_t stride) {
#if HWY_MAX_BYTES >= 32
  const hn::Half<DF> dh;
  for (size_t i = 0; i < kRegs; ++i, p += kLanes / 4 * stride) {
    const auto low = hn::LowerHalf(dh, v.r[i]), high = hn::UpperHalf(dh, v.r[i]);
#if HWY_MAX_BYTES >= 64
    const hn::Half<decltype(dh)> d4;
    hn::StoreU(hn::LowerHalf(d4, low), d4, p);
    hn::StoreU(hn::UpperHalf(d4, low), d4, p + stride);
    hn::StoreU(hn::LowerHalf(d4, high), d4, p + 2 * stride);
    hn::StoreU(hn::UpperHalf(d4, high), d4, p + 3 * stride);
#else
    hn::StoreU(low, dh, p);
    hn::StoreU(high, dh, p + stride);
#endif
  }
#else
  for (size_t i = 0; i < kRegs; ++i) {
    hn::StoreU(v.r[i], DF(), p + i * kLanes / 4 * stride + i * kLanes % 4);
  }
#endif
}

// Dot product of the contract: a tail shorter than 16 is padded with zeros.
HWY_INLINE V16 DotLanes(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, size_t n) {
  V16 acc = Zero16();
  size_t i = 0;
  for (; i + kVirtualLanes <= n; i += kVirtualLanes)
    acc = MulAdd16(Load16(a + i), Load16(b + i), acc);
  if (i < n) acc = MulAdd16(LoadN16(a + i, n - i), LoadN16(b + i, n - i), acc);
  return acc;
}

}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // SMALLMIND_ENGINE_KERNELS_LANES_INL_H_
