// Float activations in the forms that kernels read: rows rounded to BF16, tiles of several tokens
// (acts.h). Tested in float_acts_test.cc.
#if defined(SMALLMIND_ENGINE_KERNELS_FLOAT_ACTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_FLOAT_ACTS_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_FLOAT_ACTS_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_FLOAT_ACTS_INL_H_
#endif

#include <algorithm>

#include "engine/kernels/acts.h"
#include "engine/kernels/lanes-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {

// AVX-512 and NEON have 32 registers. Tiles of 4 rows × 6 tokens take 24 accumulators, of 3 × 4
// twelve.
constexpr bool k32Registers = kLanes == 16 || HWY_ARCH_ARM_A64;
constexpr size_t kTileTokens = k32Registers ? 6 : 4;
constexpr bool kPacksActs = kLanes < kVirtualLanes;

// Floats of a packed tile: of one step's tokens, and from one step to the next.
constexpr size_t kPackedStep = kTileTokens * kLanes;
// From one register's part of a tile to the next's.
constexpr size_t PackedPart(size_t cols) { return Bf16Cols(cols) / kVirtualLanes * kPackedStep; }

namespace {

using DU = hn::RebindToUnsigned<DF>;

// Nearest BF16, ties to even, as a float's bits; what is below them is not cleared.
HWY_INLINE hn::Vec<DU> RoundedBits(VF v) {
  const DU du;
  const auto bits = hn::BitCast(du, v);
  const auto even = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1));
  const auto up = hn::Add(hn::Add(bits, hn::Set(du, 0x7FFF)), even);
  // A NaN whose payload would be cut off must not become infinite.
  const auto quiet = hn::Or(bits, hn::Set(du, 0x400000));
  return hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(v)), quiet, up);
}

void RoundRowToBf16T(const float* x, size_t cols, uint16_t* HWY_RESTRICT out) {
  const DF df;
  const hn::Rebind<uint16_t, DU> d16;
  size_t k = 0;
  for (; k < cols; k += kLanes) {
    const VF v = cols - k >= kLanes ? hn::LoadU(df, x + k) : hn::LoadN(df, x + k, cols - k);
    const auto narrow = hn::TruncateTo(d16, hn::ShiftRight<16>(RoundedBits(v)));
    if (cols - k >= kLanes) {
      hn::StoreU(narrow, d16, out + k);
    } else {
      hn::StoreN(narrow, d16, out + k, cols - k);
    }
  }
  for (k = cols; k < Bf16Cols(cols); ++k) out[k] = 0;
}

HWY_INLINE V16 RoundedToBf16(V16 v) {
  const DU du;
  for (size_t i = 0; i < kRegs; ++i) {
    v.r[i] = hn::BitCast(DF(), hn::And(RoundedBits(v.r[i]), hn::Set(du, 0xFFFF0000u)));
  }
  return v;
}

// The odd or the even elements of 32.
template <bool kOdd>
HWY_INLINE V16 EverySecond(const V16 (&x)[2]) {
  V16 out;
  for (size_t i = 0; i < kRegs; ++i) {
    const VF low = x[2 * i / kRegs].r[2 * i % kRegs];
    const VF high = x[(2 * i + 1) / kRegs].r[(2 * i + 1) % kRegs];
    out.r[i] = kOdd ? hn::ConcatOdd(DF(), high, low) : hn::ConcatEven(DF(), high, low);
  }
  return out;
}

void PackFloatTileT(const float* x, size_t begin, size_t n, size_t cols, TileValues values,
                    size_t token, float* HWY_RESTRICT tile) {
  float* to = tile + begin / kVirtualLanes * kPackedStep + token * kLanes;
  const size_t part = PackedPart(cols);
  const auto store = [&](V16 v) HWY_ATTR {
    for (size_t i = 0; i < kRegs; ++i) hn::StoreU(v.r[i], DF(), to + i * part);
    to += kPackedStep;
  };
  const size_t whole = n / (2 * kVirtualLanes) * (2 * kVirtualLanes);
  const auto pack = [&](V16 low, V16 high) HWY_ATTR {
    if (values == TileValues::kFloats) {
      store(low);
      store(high);
      return;
    }
    const V16 rounded[2] = {RoundedToBf16(low), RoundedToBf16(high)};
    store(EverySecond<true>(rounded));
    store(EverySecond<false>(rounded));
  };
  for (size_t k = 0; k < whole; k += 2 * kVirtualLanes) {
    pack(Load16(x + k), Load16(x + k + kVirtualLanes));
  }
  if (const size_t left = n - whole; left != 0) {
    HWY_ALIGN float rest[2 * kVirtualLanes] = {};
    std::copy(x + whole, x + n, rest);
    pack(Load16(rest), Load16(rest + kVirtualLanes));
  }
}

size_t FloatTileTokensT() { return kPacksActs ? kTileTokens : 0; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace smallmind {

HWY_EXPORT(RoundRowToBf16T);
HWY_EXPORT(PackFloatTileT);
HWY_EXPORT(FloatTileTokensT);

void RoundRowToBf16(const float* x, size_t cols, uint16_t* out) {
  HWY_DYNAMIC_DISPATCH(RoundRowToBf16T)(x, cols, out);
}

size_t FloatTileTokens() { return HWY_DYNAMIC_DISPATCH(FloatTileTokensT)(); }

void PackFloatTile(const float* x, size_t begin, size_t n, size_t cols, TileValues values,
                   size_t token, float* tile) {
  HWY_DYNAMIC_DISPATCH(PackFloatTileT)(x, begin, n, cols, values, token, tile);
}

}  // namespace smallmind
#endif  // HWY_ONCE

#endif  // toggle
