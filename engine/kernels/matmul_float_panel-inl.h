// Rows of float weights as the register tiles read them: as they lie, or copied into a panel once
// for many tokens.
//
// Where a register has 16 lanes, F16 and BF16 are copied widened to float32 (which costs Intel's
// FMA ports two slots a register) and no two rows at a distance of a power of two; BF16 stays as it
// is where the target has dots for it, F16 where widening costs nothing (FloatCpu). Narrower
// targets widen in the tile, beside the FMA units: a panel of floats would be read from L2 at twice
// the bytes (Zen 3: 68 GFLOP/s for 82). Tested in matmul_float_test.cc.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_PANEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_PANEL_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_PANEL_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_PANEL_INL_H_
#endif

#include <algorithm>
#include <type_traits>

#include "engine/kernels/float_acts-inl.h"
#include "engine/kernels/matmul_float.h"
#include "engine/kernels/tile-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace {

constexpr bool kBf16Dots = HWY_NATIVE_DOT_BF16 && HWY_ARCH_X86;

// What a panel of W's rows holds, and whether it is a copy where there are many tokens.
template <class W, bool kCopied>
using PanelOf = std::conditional_t<kCopied, float, W>;
template <class W>
constexpr bool kCopies = !kPacksActs && !(std::is_same_v<W, Bf16> && kBf16Dots);

// BF16 as float32, by steps of 32: the odd elements of a pair, then the even ones.
HWY_INLINE void WidenPairs(const Bf16* HWY_RESTRICT from, size_t n, float* HWY_RESTRICT to) {
  const DF df;
  const hn::RebindToUnsigned<DF> du;
  for (size_t k = 0; k < n; k += 2 * kVirtualLanes) {
    HWY_ALIGN Bf16 padded[2 * kVirtualLanes];
    const Bf16* step = from + k;
    if (HWY_UNLIKELY(n - k < 2 * kVirtualLanes)) {
      std::fill(padded, padded + 2 * kVirtualLanes, Bf16{0});
      std::copy(step, step + (n - k), padded);
      step = padded;
    }
    const V16 pairs = LoadStep(step);
    for (size_t i = 0; i < kRegs; ++i) {
      const auto bits = hn::BitCast(du, pairs.r[i]);
      hn::StoreU(hn::BitCast(df, hn::And(bits, hn::Set(du, 0xFFFF0000u))), df, to + k + i * kLanes);
      hn::StoreU(hn::BitCast(df, hn::ShiftLeft<16>(bits)), df, to + k + kVirtualLanes + i * kLanes);
    }
  }
}

HWY_INLINE void CopyRow(const float* from, size_t n, float* to) { std::copy(from, from + n, to); }
HWY_INLINE void CopyRow(const hwy::float16_t* from, size_t n, float* to) { WidenRow(from, n, to); }
HWY_INLINE void CopyRow(const Bf16* from, size_t n, float* to) { WidenPairs(from, n, to); }

// Rows of the matrix as T.
template <class T>
struct Panel {
  const uint8_t* first;  // row
  size_t row_bytes, rows;
  size_t cols, cut;  // columns, and those of a block

  const T* Row(size_t r, size_t column) const {
    return Apart(reinterpret_cast<const T*>(first + r * row_bytes) + column);
  }
};

// Asks for the next panel's rows, a few lines at a time, while this one is used.
struct Prefetcher {
  const uint8_t* row;
  size_t row_bytes, rows_left, lines, at = 0;
  HWY_INLINE Prefetcher(const uint8_t* first, size_t bytes, size_t rows, size_t calls)
      : row(first), row_bytes(bytes), rows_left(rows), lines(rows * (bytes / 64 + 1) / calls + 1) {}
  HWY_INLINE void Some() {
    for (size_t i = 0; i < lines && rows_left != 0; ++i) {
      __builtin_prefetch(row + at, 0, 2);  // to L2
      at += 64;
      if (at < row_bytes) continue;
      at = 0;
      row += row_bytes;
      --rows_left;
    }
  }
};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
