// Register tiles of dot products: 4 rows × 4 vectors, 16 accumulators of the order contract's
// lanes.
//
// Included once per Highway target. The elements of a row are float, F16 (widened on load) or BF16
// against BF16 (order.h, 2b). Of the processors with BF16 dots, Zen 4 does twice the work of its
// fma with them, Sapphire Rapids half (measured: 86 and 173 GFLOP/s a thread), so the target
// AVX3_SPR is left out and Intel's runs AVX3_DL.
#if defined(SMALLMIND_ENGINE_KERNELS_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_TILE_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_TILE_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_TILE_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/kernels/in_register-inl.h"
#include "engine/kernels/lanes-inl.h"
#include "hwy/highway.h"

#ifndef SMALLMIND_ENGINE_KERNELS_TILE_ONCE_
#define SMALLMIND_ENGINE_KERNELS_TILE_ONCE_
namespace smallmind {
inline constexpr size_t kTile = 4;  // rows and vectors of a tile

struct Bf16 {
  uint16_t bits;
};
}  // namespace smallmind
#endif

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {

// Keeps a pointer in a general register: GCC 12 otherwise gathers the addresses of a tile's rows in
// a vector register, multiplies them there and takes them apart again (20 % of attention's scores).
template <class T>
HWY_INLINE const T* Apart(const T* p) {
#if HWY_COMPILER_GCC || HWY_COMPILER_CLANG
  asm("" : "+r"(p));
#endif
  return p;
}

// What a step takes of a vector: 16 elements, or 32 of BF16 as the bits of 16 pairs.
HWY_INLINE V16 LoadStep(const float* x) { return Load16(x); }

HWY_INLINE V16 LoadStep(const Bf16* x) {
  const hn::Repartition<uint16_t, DF> d16;
  V16 v;
  for (size_t i = 0; i < kRegs; ++i) {
    v.r[i] =
        hn::BitCast(DF(), hn::LoadU(d16, reinterpret_cast<const uint16_t*>(x) + 2 * i * kLanes));
  }
  return v;
}

HWY_INLINE V16 InRegisters(V16 v) {
  for (size_t i = 0; i < kRegs; ++i) v.r[i] = InRegister(v.r[i]);
  return v;
}

// One step: 16 elements of float weights, or 32 of BF16.
HWY_INLINE V16 Step(const float* w, V16 x, V16 acc) { return MulAdd16(Load16(w), x, acc); }

HWY_INLINE V16 Step(const hwy::float16_t* w, V16 x, V16 acc) { return MulAdd16(Load16(w), x, acc); }

HWY_INLINE V16 Step(const Bf16* w, V16 x, V16 acc) {
  const DF df;
  const V16 pairs = LoadStep(w);
#if HWY_NATIVE_DOT_BF16 && HWY_ARCH_X86
  const hn::Repartition<hwy::bfloat16_t, DF> dbf;
  VF unused = hn::Zero(df);
  for (size_t i = 0; i < kRegs; ++i) {
    acc.r[i] = hn::ReorderWidenMulAccumulate(df, hn::BitCast(dbf, pairs.r[i]),
                                             hn::BitCast(dbf, x.r[i]), acc.r[i], unused);
  }
#else
  const hn::RebindToUnsigned<DF> du;
  const auto odd_mask = hn::Set(du, 0xFFFF0000u);
  for (size_t i = 0; i < kRegs; ++i) {
    const auto vw = hn::BitCast(du, pairs.r[i]), vx = hn::BitCast(du, x.r[i]);
    acc.r[i] = hn::MulAdd(hn::BitCast(df, hn::And(vw, odd_mask)),
                          hn::BitCast(df, hn::And(vx, odd_mask)), acc.r[i]);
    acc.r[i] = hn::MulAdd(hn::BitCast(df, hn::ShiftLeft<16>(vw)),
                          hn::BitCast(df, hn::ShiftLeft<16>(vx)), acc.r[i]);
  }
#endif
  return acc;
}

template <class W, class X>
HWY_INLINE V16 Step(const W* w, const X* x, V16 acc) {
  return Step(w, LoadStep(x), acc);
}

// The last n elements, both sides padded with zeros.
template <class W, class X>
HWY_INLINE V16 Tail(const W* w, const X* x, size_t n, V16 acc) {
  HWY_ALIGN W pw[2 * kVirtualLanes] = {};
  HWY_ALIGN X px[2 * kVirtualLanes] = {};
  hwy::CopyBytes(w, pw, n * sizeof(W));
  hwy::CopyBytes(x, px, n * sizeof(X));
  return Step(pw, px, acc);
}

template <class W>
constexpr size_t kStep = std::is_same_v<W, Bf16> ? 2 * kVirtualLanes : kVirtualLanes;

// acc[r·tokens + t] for a sub-tile held in registers.
template <size_t kR, size_t kT, class W, class X>
HWY_INLINE void SubTile(const W* const* HWY_RESTRICT w, const X* const* HWY_RESTRICT x, size_t cols,
                        V16* HWY_RESTRICT out, size_t out_rows_stride) {
  V16 acc[kR * kT];
  HWY_UNROLL(16)
  for (size_t i = 0; i < kR * kT; ++i) acc[i] = Zero16();
  size_t k = 0;
  for (; k + kStep<W> <= cols; k += kStep<W>) {
    HWY_UNROLL(4)
    for (size_t r = 0; r < kR; ++r) {
      HWY_UNROLL(4)
      for (size_t t = 0; t < kT; ++t) {
        acc[r * kT + t] = Step(w[r] + k, x[t] + k, acc[r * kT + t]);
      }
    }
  }
  if (HWY_UNLIKELY(k < cols)) {
    HWY_UNROLL(4)
    for (size_t r = 0; r < kR; ++r) {
      HWY_UNROLL(4)
      for (size_t t = 0; t < kT; ++t) {
        acc[r * kT + t] = Tail(w[r] + k, x[t] + k, cols - k, acc[r * kT + t]);
      }
    }
  }
  HWY_UNROLL(4)
  for (size_t r = 0; r < kR; ++r) {
    HWY_UNROLL(4)
    for (size_t t = 0; t < kT; ++t) out[r * out_rows_stride + t] = acc[r * kT + t];
  }
}

// Lane 4·t + r: the dot product of row r and vector t, of a tile of 4 rows × kT ≤ 4 vectors. Lanes
// of absent vectors are zero.
template <size_t kT = kTile, class W, class X>
HWY_INLINE V16 Tile(const W* const* w, const X* const* x, size_t cols) {
  V16 acc[kTile * kTile];
  HWY_UNROLL(16)
  for (size_t i = 0; i < kTile * kTile; ++i) {
    if (i % kTile >= kT) acc[i] = Zero16();
  }
  if constexpr (kLanes == 16) {
    SubTile<kTile, kT>(w, x, cols, acc, kTile);
  } else {  // 16 registers hold a sub-tile of 2 × 2 with 8 or 16 of them
    for (size_t r = 0; r < kTile; r += 2) {
      SubTile<2, HWY_MIN(kT, 2)>(w + r, x, cols, acc + r * kTile, kTile);
      if constexpr (kT > 2) {
        SubTile<2, kT - 2>(w + r, x + 2, cols, acc + r * kTile + 2, kTile);
      }
    }
  }
  return Reduce16(acc);
}

}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // SMALLMIND_ENGINE_KERNELS_TILE_INL_H_
