// F32, F16 and BF16 weights × float activations.
//
// One token: four rows at a time, each a stream from memory with an accumulator of its own. More
// tokens: tiles of 4 rows × 4 tokens, 16 accumulators; the activations of a block of tokens stay in
// L2 while the rows pass, and four F16 rows are widened once into scratch and used for every token.
// BF16 runs on pair dots (order.h, 2b). Every result is the same dot product whatever the tile:
// tested in matmul_float_test.cc to the bit.
#include "engine/kernels/matmul_float.h"

#include <algorithm>
#include <type_traits>

#include "engine/kernels/matmul.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels/matmul_float.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "engine/kernels/tile-inl.h"
#include "hwy/highway.h"

#ifndef SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_ONCE_
#define SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_ONCE_
namespace smallmind {
inline constexpr size_t kRoundedTokens = 16;  // rounded to BF16 at once where the caller did not
// Activations that stay in L2, 1 MiB on Zen 4.
inline constexpr size_t kTokenBlockBytes = 384 << 10;
}  // namespace smallmind
#endif

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace {

using DU = hn::RebindToUnsigned<DF>;

template <class W, class X>
HWY_NOINLINE void TileOf(const W* const* w, const X* const* x, size_t cols, float* sums) {
  Store16(Tile(w, x, cols), sums);
}

template <class W, class X>
HWY_NOINLINE void MatVec(const WeightView& w, size_t row_begin, size_t row_end, const X* x,
                         float* out) {
  for (size_t r = row_begin; r < row_end; r += kTile) {
    const size_t n = std::min(kTile, row_end - r);
    const W* rows[kTile];
    for (size_t i = 0; i < kTile; ++i) {
      rows[i] = reinterpret_cast<const W*>(w.Row(r + std::min(i, n - 1)));
    }
    V16 acc[kTile];
    SubTile<kTile, 1>(rows, &x, w.cols, acc, 1);
    float sums[kTile];
    Reduce4(acc, sums);
    std::copy(sums, sums + n, out + r);
  }
}

// Tiles over rows [row_begin, row_end) × n_tokens rows at x(t). Panel: F16 rows widened into
// `panel`.
template <class W, class X>
HWY_INLINE void Tiles(const WeightView& w, size_t row_begin, size_t row_end, const X* x,
                      size_t x_stride, size_t n_tokens, float* out, size_t out_stride,
                      float* panel) {
  constexpr bool kWiden = std::is_same_v<W, hwy::float16_t>;
  using Wide = std::conditional_t<kWiden, float, W>;
  for (size_t r = row_begin; r < row_end; r += kTile) {
    const size_t n_rows = std::min(kTile, row_end - r);
    const Wide* rows[kTile];
    for (size_t i = 0; i < kTile; ++i) {
      const uint8_t* src = w.Row(r + std::min(i, n_rows - 1));
      if constexpr (kWiden) {
        WidenRow(reinterpret_cast<const hwy::float16_t*>(src), w.cols, panel + i * w.cols);
        rows[i] = panel + i * w.cols;
      } else {
        rows[i] = reinterpret_cast<const Wide*>(src);
      }
    }
    for (size_t t = 0; t < n_tokens; t += kTile) {
      const size_t n_toks = std::min(kTile, n_tokens - t);
      const X* toks[kTile];
      for (size_t i = 0; i < kTile; ++i) toks[i] = x + (t + std::min(i, n_toks - 1)) * x_stride;
      HWY_ALIGN float sums[kTile * kTile];
      TileOf(rows, toks, w.cols, sums);
      for (size_t i = 0; i < n_toks; ++i) {
        std::copy(sums + i * kTile, sums + i * kTile + n_rows, out + (t + i) * out_stride + r);
      }
    }
  }
}

template <class W, class X>
HWY_INLINE void MatMulOf(const WeightView& w, size_t row_begin, size_t row_end, const X* x,
                         size_t x_stride, size_t n_tokens, float* out, size_t out_stride,
                         float* panel) {
  if (n_tokens == 1) return MatVec<W>(w, row_begin, row_end, x, out);
  const size_t fit = kTokenBlockBytes / (w.cols * sizeof(X) + 1);
  const size_t block = std::max(4 * kTile, fit / kTile * kTile);
  for (size_t t = 0; t < n_tokens; t += block) {
    Tiles<W>(w, row_begin, row_end, x + t * x_stride, x_stride, std::min(block, n_tokens - t),
             out + t * out_stride, out_stride, panel);
  }
}

void RoundRowToBf16T(const float* x, size_t cols, uint16_t* HWY_RESTRICT out) {
  const DU du;
  const hn::Rebind<uint16_t, DU> d16;
  const DF df;
  size_t k = 0;
  for (; k < cols; k += kLanes) {
    const VF v = cols - k >= kLanes ? hn::LoadU(df, x + k) : hn::LoadN(df, x + k, cols - k);
    const auto bits = hn::BitCast(du, v);
    const auto even = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1));
    const auto up = hn::Add(hn::Add(bits, hn::Set(du, 0x7FFF)), even);
    const auto kept = hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(v)), bits, up);
    const auto narrow = hn::TruncateTo(d16, hn::ShiftRight<16>(kept));
    if (cols - k >= kLanes) {
      hn::StoreU(narrow, d16, out + k);
    } else {
      hn::StoreN(narrow, d16, out + k, cols - k);
    }
  }
  for (k = cols; k < Bf16Cols(cols); ++k) out[k] = 0;
}

void MatMulBf16(const WeightView& w, size_t row_begin, size_t row_end, const FloatRows& x,
                float* out, size_t out_stride, uint8_t* scratch) {
  if (x.bf16 != nullptr) {
    return MatMulOf<Bf16>(w, row_begin, row_end, reinterpret_cast<const Bf16*>(x.bf16),
                          x.bf16_stride, x.n_tokens, out, out_stride, nullptr);
  }
  auto* rounded = reinterpret_cast<uint16_t*>(scratch);
  const size_t stride = Bf16Cols(x.cols);
  for (size_t t = 0; t < x.n_tokens; t += kRoundedTokens) {
    const size_t n = std::min(kRoundedTokens, x.n_tokens - t);
    for (size_t i = 0; i < n; ++i) RoundRowToBf16T(x.Row(t + i), x.cols, rounded + i * stride);
    MatMulOf<Bf16>(w, row_begin, row_end, reinterpret_cast<const Bf16*>(rounded), stride, n,
                   out + t * out_stride, out_stride, nullptr);
  }
}

void MatMulFloatT(const WeightView& w, size_t row_begin, size_t row_end, const FloatRows& x,
                  float* out, size_t out_stride, uint8_t* scratch) {
  auto* panel = reinterpret_cast<float*>(scratch);
  switch (w.type) {
    case DType::kF16:
      return MatMulOf<hwy::float16_t>(w, row_begin, row_end, x.data, x.stride, x.n_tokens, out,
                                      out_stride, panel);
    case DType::kBF16:
      return MatMulBf16(w, row_begin, row_end, x, out, out_stride, scratch);
    default:
      return MatMulOf<float>(w, row_begin, row_end, x.data, x.stride, x.n_tokens, out, out_stride,
                             panel);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace smallmind {

HWY_EXPORT(MatMulFloatT);
HWY_EXPORT(RoundRowToBf16T);

size_t FloatMatMulScratchBytes(size_t max_cols) {
  return std::max(kTile * max_cols * sizeof(float),
                  kRoundedTokens * Bf16Cols(max_cols) * sizeof(uint16_t));
}

size_t FloatMatMulRowGrain(const WeightView& w, size_t n_tokens) {
  // One token: 64 KiB of weights a call, so that a slow thread holds nobody for long. More: 16
  // tiles.
  if (n_tokens > 1) return 16 * kTile;
  return std::max<size_t>(kTile, (size_t{64} << 10) / (w.row_bytes + 1) / kTile * kTile);
}

void RoundRowToBf16(const float* x, size_t cols, uint16_t* out) {
  HWY_DYNAMIC_DISPATCH(RoundRowToBf16T)(x, cols, out);
}

void MatMul(const WeightView& w, size_t row_begin, size_t row_end, const FloatRows& x, float* out,
            size_t out_stride, std::span<uint8_t> scratch) {
  if (row_begin >= row_end || x.n_tokens == 0) return;
  HWY_DYNAMIC_DISPATCH(MatMulFloatT)
  (w, row_begin, row_end, x, out, out_stride, scratch.data());
}

}  // namespace smallmind
#endif  // HWY_ONCE
