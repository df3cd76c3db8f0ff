// F32, F16 and BF16 weights × float activations.
//
// One token: a stream from memory, F16 widened on load, four rows abreast that follow each other or
// lie apart (FloatCpu). More tokens: matmul_float_tiles-inl.h. BF16 runs on pair dots (order.h,
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

// What four rows abreast ask of memory while they read n columns from k on: kColumns but at the
// end. More than 8 lines at a time fill the buffers of what misses (16 on Emerald Rapids), and the
// rows themselves wait.
template <class W>
constexpr size_t kColumns = 8 * 64 / (kTile * sizeof(W));

// The next in memory's own order, of rows that follow each other.
struct ByStream {
  FetchStream* fetch;

  template <class W>
  HWY_INLINE void operator()(const W* const*, size_t, size_t n) const {
    if (fetch == nullptr) return;
    const ByteRange piece = fetch->Read(n * kTile * sizeof(W));
    for (size_t i = 0; i < piece.bytes; i += 64) __builtin_prefetch(piece.data + i, 0, 2);
  }
};

// What each of four rows comes to 2 KiB later, in its part of a chunk and then in that of the next
// chunk (1 KiB: 0.94 of the speed, 3 or 4: 0.97, and staying in the chunk 0.98).
struct InParts {
  static constexpr size_t kLead = size_t{2} << 10;
  const uint8_t* first_end;  // of the first part
  size_t part_bytes, chunk_bytes;

  template <class W>
  HWY_INLINE void operator()(const W* const* rows, size_t k, size_t) const {
    HWY_UNROLL(4)
    for (size_t r = 0; r < kTile; ++r) {
      const auto* at = reinterpret_cast<const uint8_t*>(rows[r] + k) + kLead;
      if (at >= first_end + r * part_bytes) at += chunk_bytes - part_bytes;
      for (size_t i = 0; i < kColumns<W> * sizeof(W); i += 64) __builtin_prefetch(at + i, 0, 3);
    }
  }
};

// out[i] = rows[i] · x over all columns, four rows abreast.
template <class W, class X, class Fetch>
HWY_INLINE void DotRows(const W* const* rows, const X* x, size_t cols, Fetch fetch,
                        V16* HWY_RESTRICT out) {
  static_assert(kColumns<W> % kStep<W> == 0);
  V16 acc[kTile];
  for (size_t r = 0; r < kTile; ++r) acc[r] = Zero16();
  const size_t whole = cols / kStep<W> * kStep<W>;
  for (size_t k = 0; k < whole;) {
    const size_t end = std::min(k + kColumns<W>, whole);
    fetch(rows, k, end - k);
    for (; k < end; k += kStep<W>) {
      HWY_UNROLL(4)
      for (size_t r = 0; r < kTile; ++r) acc[r] = Step(rows[r] + k, x + k, acc[r]);
    }
  }
  for (size_t r = 0; r < kTile; ++r) {
    out[r] = whole < cols ? Tail(rows[r] + whole, x + whole, cols - whole, acc[r]) : acc[r];
  }
}

// Rows [begin, end) of the job, each four that follow each other.
template <class W>
HWY_NOINLINE void MatVec(const FloatJob& job, size_t begin, size_t end, FetchStream* fetch) {
  const WeightView& w = job.w;
  const auto* x = ActRow(static_cast<const W*>(nullptr), job.x, 0);
  for (size_t r = begin; r < end; r += kTile) {
    const size_t n = std::min(kTile, end - r);
    const W* rows[kTile];
    for (size_t i = 0; i < kTile; ++i) {
      rows[i] = Apart(reinterpret_cast<const W*>(w.Row(r + std::min(i, n - 1))));
    }
    V16 acc[kTile];
    DotRows(rows, x, w.cols, ByStream{fetch}, acc);
    float sums[kTile];
    Reduce4(acc, sums);
    std::copy(sums, sums + n, job.out + r - job.row_begin);
  }
}

// The four quarters of the rows abreast, each in its own order.
template <class W>
HWY_NOINLINE void MatVecInParts(const FloatJob& job) {
  const WeightView& w = job.w;
  const auto* x = ActRow(static_cast<const W*>(nullptr), job.x, 0);
  const size_t all = job.row_end - job.row_begin, part = all / kTile;
  const InParts fetch = {w.Row(job.row_begin) + part * w.row_bytes, part * w.row_bytes,
                         all * w.row_bytes};
  for (size_t r = 0; r < part; ++r) {
    const W* rows[kTile];
    for (size_t i = 0; i < kTile; ++i) {
      rows[i] = Apart(reinterpret_cast<const W*>(w.Row(job.row_begin + i * part + r)));
    }
    V16 acc[kTile];
    DotRows(rows, x, w.cols, fetch, acc);
    float sums[kTile];
    Reduce4(acc, sums);
    for (size_t i = 0; i < kTile; ++i) job.out[i * part + r] = sums[i];
  }
  MatVec<W>(job, job.row_begin + kTile * part, job.row_end, nullptr);
  if (job.fetch != nullptr) job.fetch->Skip(all * w.row_bytes);
}

template <class W>
HWY_INLINE void RunRows(const FloatJob& job) {
  if (job.x.n_tokens == 1) {
    if (kLanes == 16 && job.cpu.reads_parts) return MatVecInParts<W>(job);
    // As LeadBytes of the quantised kernels (Zen 5, 1.1B in BF16: 1.2).
    FetchStream::SetLead(job.fetch, kTile * job.w.row_bytes);
    MatVec<W>(job, job.row_begin, job.row_end, job.fetch);
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
  return {.reads_parts = amd, .widens_in_tile = amd};
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
