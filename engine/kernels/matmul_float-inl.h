// F32, F16 and BF16 weights × float activations.
//
// One token: a stream from memory, F16 widened on load, row by row or four abreast
// (FloatCpu). More tokens: matmul_float_tiles-inl.h. BF16 runs on pair dots (order.h,
// 2b). Tested in matmul_float_test.cc to the bit.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_INL_H_
#endif

#include <algorithm>
#include <type_traits>

#include "hwy/detect_compiler_arch.h"
#if HWY_ARCH_X86
#include <cpuid.h>
#endif

#include "engine/kernels/float_acts-inl.h"
#include "engine/kernels/matmul.h"
#include "engine/kernels/matmul_float.h"
#include "engine/kernels/matmul_float_tiles-inl.h"
#include "engine/kernels/tile-inl.h"
#include "hwy/highway.h"

#ifndef SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_ONCE_
#define SMALLMIND_ENGINE_KERNELS_MATMUL_FLOAT_ONCE_
namespace smallmind {
inline constexpr size_t kGrain = 32;  // rows; an activation block, for what consumes them
}  // namespace smallmind
#endif

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace {

// out[i] = rows[i] · x over all columns, kRows abreast. Memory is asked for what comes next in its
// own order, 8 lines at a time: more at once fill the buffers of what misses (16 on Emerald
// Rapids), and the rows themselves wait. A row alone without a stream asks 8 KiB ahead of itself.
template <size_t kRows, class W, class X>
HWY_INLINE void DotRows(const W* const* rows, const X* x, size_t cols, FetchStream* fetch,
                        V16* HWY_RESTRICT out) {
  constexpr size_t kAlone = size_t{8} << 10;
  constexpr size_t kColumns = std::max(8 * 64 / (kRows * sizeof(W)), kStep<W>);
  V16 acc[kRows];
  for (size_t r = 0; r < kRows; ++r) acc[r] = Zero16();
  const size_t whole = cols / kStep<W> * kStep<W>;
  for (size_t k = 0; k < whole;) {
    const size_t end = std::min(k + kColumns, whole);
    if (fetch != nullptr) {
      const ByteRange piece = fetch->Read((end - k) * kRows * sizeof(W));
      for (size_t i = 0; i < piece.bytes; i += 64) __builtin_prefetch(piece.data + i, 0, 2);
    } else if constexpr (kRows == 1) {
      const auto* at = reinterpret_cast<const uint8_t*>(rows[0] + k) + kAlone;
      for (size_t i = 0; i < kColumns * sizeof(W); i += 64) __builtin_prefetch(at + i, 0, 3);
    }
    for (; k < end; k += kStep<W>) {
      HWY_UNROLL(4)
      for (size_t r = 0; r < kRows; ++r) acc[r] = Step(rows[r] + k, x + k, acc[r]);
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    out[r] = whole < cols ? Tail(rows[r] + whole, x + whole, cols - whole, acc[r]) : acc[r];
  }
}

template <size_t kRows, class W>
HWY_NOINLINE void MatVec(const FloatJob& job) {
  const WeightView& w = job.w;
  const auto* x = ActRow(static_cast<const W*>(nullptr), job.x, 0);
  // As LeadBytes of the quantised kernels (Zen 5, 1.1B in BF16: 1.2).
  FetchStream::SetLead(job.fetch, kRows * w.row_bytes, kLanes);
  // Short rows one by one are memory's own order, and asking the stream for each of their few lines
  // costs more than it gives (Zen 5 without, 135M: BF16 1.11, F16 1.18; 1.1B, rows of 4 KiB and
  // more: 0.87 to 0.96 built for production).
  const bool alone = kRows == 1 && w.row_bytes < 4096;
  FetchStream* const fetch = alone ? nullptr : job.fetch;
  for (size_t r = job.row_begin; r < job.row_end; r += kTile) {
    const size_t n = std::min(kTile, job.row_end - r);
    const W* rows[kTile];
    for (size_t i = 0; i < kTile; ++i) {
      rows[i] = Apart(reinterpret_cast<const W*>(w.Row(r + std::min(i, n - 1))));
    }
    V16 acc[kTile];
    for (size_t i = 0; i < kTile; i += kRows) {
      if (i < n) {
        DotRows<kRows>(rows + i, x, w.cols, fetch, acc + i);
      } else {
        acc[i] = Zero16();
      }
    }
    float sums[kTile];
    Reduce4(acc, sums);
    std::copy(sums, sums + n, job.out + r - job.row_begin);
  }
  if (alone && job.fetch != nullptr) {
    job.fetch->Skip((job.row_end - job.row_begin) * w.row_bytes);
  }
}

template <class W>
HWY_INLINE void RunRows(const FloatJob& job) {
  if (job.x.n_tokens == 1) {
    kLanes == 16 && job.cpu.row_by_row ? MatVec<1, W>(job) : MatVec<kTile, W>(job);
  } else {
    MatMulOf<W>(job);
  }
}

void MatMulFloatT(const FloatJob& job) {
  if (job.w.type == DType::kF16) {
    RunRows<hwy::float16_t>(job);
  } else if (job.w.type == DType::kBF16) {
    RunRows<Bf16>(job);
  } else {
    RunRows<float>(job);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace smallmind {

HWY_EXPORT(MatMulFloatT);

FloatCpu FloatCpu::This() {
#if HWY_ARCH_X86
  static const bool amd = [] {
    unsigned level = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(0, &level, &b, &c, &d) != 0 && b == signature_AMD_ebx &&
           c == signature_AMD_ecx && d == signature_AMD_edx;
  }();
  return {.row_by_row = amd, .widens_in_tile = amd};
#else
  return {};
#endif
}

size_t FloatMatMulRowGrain(const WeightView& w, size_t n_tokens) {
  // One token: 64 KiB of weights a call, so that a slow thread holds nobody for long. More: about
  // 16 calls a matrix, and two panels at most: what a feed-forward makes of it stays in L2.
  const size_t rows = n_tokens == 1 ? (size_t{64} << 10) / (w.row_bytes + 1) : w.rows / 16;
  const size_t most = n_tokens == 1 ? w.rows : 2 * kFloatPanelRows;
  return std::max(kGrain, std::min(rows, most) / kGrain * kGrain);
}

void MatMul(const FloatJob& job) {
  if (job.row_begin >= job.row_end || job.x.n_tokens == 0) return;
  HWY_DYNAMIC_DISPATCH(MatMulFloatT)(job);
}

void MatMul(const WeightView& w, size_t row_begin, size_t row_end, const FloatRows& x, float* out,
            size_t out_stride, std::span<uint8_t> scratch, FetchStream* fetch) {
  MatMul({w, row_begin, row_end, x, out, out_stride, scratch, fetch, FloatCpu::This()});
}

}  // namespace smallmind
#endif  // HWY_ONCE

#endif  // toggle
