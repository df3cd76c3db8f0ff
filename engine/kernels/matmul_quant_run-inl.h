// Drives the quantised kernels over a row range: windows of whole row groups, panels, token tiles.
//
// A range that does not end on a group is finished by a group that reaches beyond it (or back before it) inside
// the matrix; only the rows asked for are written. Matrices of fewer rows than a group are padded in scratch.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_RUN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_RUN_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_RUN_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_RUN_INL_H_
#endif

#include "engine/kernels/matmul_quant.h"
#include "engine/kernels/matmul_quant_gemm-inl.h"
#include "engine/kernels/matmul_quant_gemv-inl.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace quant {

// Rows [begin, begin + count) of the result, computed by the group that starts at row `first`.
struct Window {
  size_t first, begin, count;
};
HWY_INLINE Window WindowAt(size_t row, size_t end, size_t matrix_rows) {
  return {HWY_MIN(row, matrix_rows - kGroup), row, HWY_MIN(kGroup, end - row)};
}

// Runs fn(to, stride), which writes T × kGroup results, straight into `out` where the window is whole.
template <size_t T, class Fn>
HWY_INLINE void Store(const Window& window, float* out, size_t out_stride, Fn fn) {
  if (window.count == kGroup) return fn(out + window.begin, out_stride);
  float spare[T * kGroup];
  fn(spare, kGroup);
  for (size_t t = 0; t < T; ++t) {
    std::memcpy(out + t * out_stride + window.begin, spare + t * kGroup + (window.begin - window.first),
                window.count * sizeof(float));
  }
}

template <class W, size_t T>
void RunGemv(const QuantJob& job, const QuantRows& x, float* out) {
  const size_t blocks = x.cols / 32;
  for (size_t row = job.row_begin; row < job.row_end; row += kGroup) {
    const Window window = WindowAt(row, job.row_end, job.w.rows);
    const uint8_t* first = job.w.Row(window.first);
    const bool more = row + kGroup < job.row_end;
    const uint8_t* next = more ? first + kGroup * job.w.row_bytes : nullptr;
    Store<T>(window, out, job.out_stride, [&](float* to, size_t stride) {
      GemvGroup<W, T>(first, job.w.row_bytes, blocks, x.data, x.stride, next, to, stride);
    });
  }
}

// Panels of consecutive row groups, and the stored weights to fetch meanwhile.
struct Panels {
  const uint8_t* data;
  size_t bytes;  // of one
  size_t count;
  size_t row;    // first row of the first
  const uint8_t* next;
  size_t next_bytes;
};

template <Form kForm, bool kWide, size_t T>
void RunTile(const QuantJob& job, const QuantRows& x, const Panels& panels, Ahead& ahead, int raw, float* out) {
  const size_t blocks = x.cols / 32;
  for (size_t p = 0; p < panels.count; ++p) {
    const Window window = WindowAt(panels.row + p * kGroup, job.row_end, job.w.rows);
    Store<T>(window, out, job.out_stride, [&](float* to, size_t stride) {
      GemmTile<kForm, kWide, T>(panels.data + p * panels.bytes, blocks, x.data, x.stride, raw, ahead, to, stride);
    });
    ahead.at += blocks * ahead.step;
  }
}

// Tokens of the next tile when `left` of n are left: even, at most n, and leaving no tile of two behind a
// full one.
HWY_INLINE size_t TileTokens(size_t left, size_t n) {
  if (left >= kMaxTile + 4 || left == kMaxTile) return kMaxTile;
  const size_t tile = left > kMaxTile ? kMaxTile - 4 : (left + 1) & ~size_t{1};
  return HWY_MIN(tile, n & ~size_t{1});
}

template <Form kForm, bool kWide>
HWY_NOINLINE void RunTiles(const QuantJob& job, const Panels& panels, int raw) {
  const size_t n = job.x.n_tokens;
  const size_t tiles = (n + kMaxTile - 1) / kMaxTile;
  Ahead ahead{panels.next, panels.next_bytes / (tiles * panels.count * (job.x.cols / 32)) + 1};
  if (panels.next == nullptr) ahead = {job.x.data, 0};
  for (size_t t = 0; t < n;) {
    const size_t tile = TileTokens(n - t, n);
    // An odd rest is made even by computing the token before it once more: same values, same place.
    const size_t at = HWY_MIN(t, n - tile);
    const QuantRows x = job.x.Tokens(at, tile);
    float* out = job.out + at * job.out_stride;
    const auto run = [&](auto size) {
      RunTile<kForm, kWide, decltype(size)::value>(job, x, panels, ahead, raw, out);
    };
    switch (tile) {
      case 2: run(std::integral_constant<size_t, 2>()); break;
      case 4: run(std::integral_constant<size_t, 4>()); break;
      case 6: run(std::integral_constant<size_t, 6>()); break;
      case 8: if constexpr (kMaxTile > 6) run(std::integral_constant<size_t, 8>()); break;
      case 10: if constexpr (kMaxTile > 6) run(std::integral_constant<size_t, 10>()); break;
      default: if constexpr (kMaxTile > 6) run(std::integral_constant<size_t, 12>()); break;
    }
    t = at + tile;
  }
}

template <class W>
void RunGemm(const QuantJob& job) {
  constexpr bool kWide =
      W::kWide || (kUnsignedDot && (W::kForm == Form::kScale || W::kForm == Form::kTwoScale));
  const size_t blocks = job.x.cols / 32;
  const size_t panel_bytes = blocks * PanelStep(W::kForm);
  const size_t room = HWY_MAX(size_t{1}, kPanelBudget / panel_bytes) * kGroup;
  for (size_t row = job.row_begin; row < job.row_end; row += room) {
    const size_t end = HWY_MIN(row + room, job.row_end);
    size_t n = 0;
    for (size_t r = row; r < end; r += kGroup, ++n) {
      const uint8_t* first = job.w.Row(WindowAt(r, job.row_end, job.w.rows).first);
      // Later panels were fetched while the tiles before them ran.
      const bool fetch = row == job.row_begin && r + kGroup < end;
      UnpackGroup<W>(first, job.w.row_bytes, blocks, fetch ? first + kGroup * job.w.row_bytes : nullptr,
                     job.scratch + n * panel_bytes);
    }
    const size_t after = HWY_MIN(end + room, job.row_end);
    const Panels panels{job.scratch, panel_bytes, n, row, after > end ? job.w.Row(end) : nullptr,
                        (after - end) * job.w.row_bytes};
    RunTiles<W::kForm, kWide>(job, panels, W::kRaw);
  }
}

template <class W>
void Run(QuantJob job) {
  if (job.w.rows < kGroup) {
    // Zero bytes are zero scales: the padding rows give zeros, which nobody stores.
    uint8_t* copy = job.scratch;
    const size_t bytes = job.w.rows * job.w.row_bytes, padded = kGroup * job.w.row_bytes;
    std::memcpy(copy, job.w.data, bytes);
    std::memset(copy + bytes, 0, padded - bytes);
    job.w.data = copy;
    job.w.rows = kGroup;
    job.scratch += (padded + 63) / 64 * 64;
  }
  switch (job.x.n_tokens) {
    case 0: return;
    case 1: return RunGemv<W, 1>(job, job.x, job.out);
    case 2: return RunGemv<W, 2>(job, job.x, job.out);
    case 3: return RunGemv<W, 3>(job, job.x, job.out);
    default: return RunGemm<W>(job);
  }
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
