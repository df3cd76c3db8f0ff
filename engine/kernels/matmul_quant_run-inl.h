// Drives the quantised kernels over a row range: windows of whole row groups, panels, token tiles.
//
// A range that does not end on a group is finished by a group that reaches beyond it (or back
// before it) inside the matrix; only the rows asked for are written. Matrices of fewer rows than a
// group are padded in scratch.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_RUN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_RUN_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_RUN_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_RUN_INL_H_
#endif

#include "engine/kernels/matmul_quant.h"
#include "engine/kernels/matmul_quant_gemv-inl.h"
#include "engine/kernels/matmul_quant_unpack-inl.h"

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

// Runs fn(to, stride), which writes n × kGroup results, straight into `out` where the window is
// whole.
template <class Fn>
HWY_INLINE void Store(const Window& window, size_t n, float* out, size_t out_stride, Fn fn) {
  if (window.count == kGroup) return fn(out + window.begin, out_stride);
  HWY_ALIGN float spare[12 * kGroup];
  fn(spare, kGroup);
  for (size_t t = 0; t < n; ++t) {
    std::memcpy(out + t * out_stride + window.begin,
                spare + t * kGroup + (window.begin - window.first), window.count * sizeof(float));
  }
}

// A type's kernels.
struct Kernels {
  GemvKernel one, two;
  void (*unpack)(const UnpackArgs& args);
  QuantForm form;
  bool wide;
  int raw;
};
template <class W>
Kernels KernelsOf() {
  return {GemvGroup<W, 1>, GemvGroup<W, 2>, UnpackGroup<W>, W::kForm, W::kWide, W::kRaw};
}

// Pairs of tokens, then the odd one, over a group while it is in the nearest cache.
inline HWY_NOINLINE void RunGemv(const QuantJob& job, const Kernels& kernels) {
  const size_t n = job.x.n_tokens;
  for (size_t row = job.row_begin; row < job.row_end; row += kGroup) {
    const Window window = WindowAt(row, job.row_end, job.w.rows);
    const uint8_t* first = job.w.Row(window.first);
    const uint8_t* next = row + kGroup < job.row_end ? first + kGroup * job.w.row_bytes : nullptr;
    for (size_t t = 0; t < n;) {
      const size_t tokens = HWY_MIN(n - t, size_t{2});
      Store(window, tokens, job.out + t * job.out_stride, job.out_stride,
            [&](float* to, size_t stride) {
              (tokens == 2 ? kernels.two
                           : kernels.one)({first, job.w.row_bytes, job.x.cols / 32, job.x.Row(t),
                                           job.x.stride, t == 0 ? next : nullptr, to, stride});
            });
      t += tokens;
    }
  }
}

// Tokens of the next tile when `left` of n are left: even, at most n, and leaving no tile of two
// behind a full one.
inline size_t TileTokens(size_t left, size_t n, size_t most) {
  if (left >= most + 4 || left == most) return most;
  const size_t tile = left > most ? (most > 4 ? most - 4 : 2) : (left + 1) & ~size_t{1};
  return HWY_MIN(tile, n & ~size_t{1});
}

// Panels of consecutive row groups, and the stored weights to fetch meanwhile.
struct Panels {
  size_t bytes;  // of one
  size_t count;
  size_t row;  // first row of the first
  const uint8_t* next;
  size_t next_bytes;
};

inline HWY_NOINLINE void RunTiles(const QuantJob& job, const Panels& panels,
                                  const QuantTiles& tiles, int raw) {
  const size_t n = job.x.n_tokens, blocks = job.x.cols / 32;
  const size_t calls = (n + tiles.max_tokens - 1) / tiles.max_tokens * panels.count;
  const uint8_t* ahead = panels.next;
  const size_t step = panels.next_bytes == 0 ? 0 : panels.next_bytes / (calls * blocks) + 1;
  for (size_t t = 0; t < n;) {
    const size_t tile = TileTokens(n - t, n, tiles.max_tokens);
    // An odd rest is made even by computing the token before it once more: same values, same place.
    const size_t at = HWY_MIN(t, n - tile);
    for (size_t p = 0; p < panels.count; ++p, ahead += blocks * step) {
      const Window window = WindowAt(panels.row + p * kGroup, job.row_end, job.w.rows);
      Store(window, tile, job.out + at * job.out_stride, job.out_stride,
            [&](float* to, size_t stride) {
              tiles.tile[tile / 2]({job.scratch + p * panels.bytes, blocks, job.x.Row(at),
                                    job.x.stride, raw, ahead, step, to, stride});
            });
    }
    t = at + tile;
  }
}

constexpr size_t kFewTokens = 24;

inline HWY_NOINLINE void RunGemm(const QuantJob& job, const Kernels& kernels) {
  const QuantTiles tiles = QuantTilesFor(kernels.form, kernels.wide);
  const size_t blocks = job.x.cols / 32, panel_bytes = blocks * PanelStep(kernels.form);
  const size_t room = HWY_MAX(size_t{1}, kPanelBudget / panel_bytes) * kGroup;
  // While tiles run they fetch the weights of the next panels. Nothing has fetched the first ones:
  // with many tokens the first panel is a single group, with few, unpacking fetches one group
  // ahead.
  const bool few = job.x.n_tokens <= kFewTokens;
  size_t row = job.row_begin;
  for (size_t end = row + (few ? room : kGroup); row < job.row_end; row = end, end += room) {
    end = HWY_MIN(end, job.row_end);
    size_t n = 0;
    for (size_t r = row; r < end; r += kGroup, ++n) {
      const uint8_t* first = job.w.Row(WindowAt(r, job.row_end, job.w.rows).first);
      const bool fetch = few && row == job.row_begin && r + kGroup < end;
      kernels.unpack({first, job.w.row_bytes, blocks,
                      fetch ? first + kGroup * job.w.row_bytes : nullptr,
                      job.scratch + n * panel_bytes});
    }
    const size_t next_bytes = (HWY_MIN(end + room, job.row_end) - end) * job.w.row_bytes;
    RunTiles(job, {panel_bytes, n, row, job.w.data + end * job.w.row_bytes, next_bytes}, tiles,
             kernels.raw);
  }
}

// From this many tokens on, unpacking pays.
constexpr size_t kGemmTokens = 4;

inline HWY_NOINLINE void Run(QuantJob job, const Kernels& kernels) {
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
  job.x.n_tokens < kGemmTokens ? RunGemv(job, kernels) : RunGemm(job, kernels);
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
