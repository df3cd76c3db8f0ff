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
#include "engine/kernels/matmul_quant_panel-inl.h"
#include "engine/kernels/matmul_quant_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace quant {

// `count` rows of the result from column `to` of the output on, computed by the group that starts
// at row `first`, of which they are lanes `lane` and up.
struct Window {
  size_t first, lane, to, count;
};
HWY_INLINE Window WindowAt(const QuantJob& job, size_t row) {
  const size_t first = HWY_MIN(row, job.w.rows - kGroup);
  return {first, row - first, row - job.row_begin, HWY_MIN(kGroup, job.row_end - row)};
}

// n rows of results of the group, to where the window's belong.
HWY_INLINE void CopyWindow(const Window& window, size_t n, const float* from, size_t stride,
                           float* out, size_t out_stride) {
  for (size_t t = 0; t < n; ++t, from += stride, out += out_stride) {
    if (HWY_LIKELY(window.count == kGroup)) {
      hwy::CopyBytes<kVectorBytes>(from, out + window.to);
    } else {
      std::memcpy(out + window.to, from + window.lane, window.count * sizeof(float));
    }
  }
}

// Runs fn(to, stride), which writes n × kGroup results, straight into `out` where the window is
// whole.
template <class Fn>
HWY_INLINE void Store(const Window& window, size_t n, float* out, size_t out_stride, Fn fn) {
  if (window.count == kGroup) return fn(out + window.to, out_stride);
  HWY_ALIGN float spare[12 * kGroup];
  fn(spare, kGroup);
  CopyWindow(window, n, spare, kGroup, out, out_stride);
}

// What a type brings to the drivers: its facts, and the kernels of it and of its form.
struct Kernels {
  size_t step;        // stored bytes of 32 columns of a group
  size_t panel_step;  // bytes of them in a panel
  int raw;
  RowsKernel rows[kGemmTokens - 1];  // one token, two, three
  // One token with other fetchers (near: the next chunk besides); null where there are none.
  RowsKernel near = nullptr, into_l1 = nullptr, into_l1_near = nullptr;
  UnpackKernel unpack;  // for many
  Tiles tiles, pairs;   // of one group, of two
};
template <class W, bool kPacked>
Kernels KernelsOf() {
  constexpr size_t kInPairs = DotsInPairs(W::kMost);
  static_assert(W::kBytes * 32 <= kMostStoredBytes * W::kColumns, "QuantScratchBytes");
  using Usual = std::conditional_t<kPacked && kWholePackedGroups, ChunkBehind<W>, IntoL2>;
  Kernels kernels = {
      .step = StepOf<W>(),
      .panel_step = PanelStep(W::kForm, kBySigns<kInPairs>),
      .raw = W::kRaw,
      .rows = {DotRows<W, kInPairs, 1, kPacked, Usual>, DotRows<W, kInPairs, 2, kPacked, Usual>,
               DotRows<W, kInPairs, 3, kPacked, Usual>},
      .unpack = UnpackRows<W, kPacked>,
      .tiles = TilesOf<W::kForm, kInPairs>(),
      .pairs = PairTilesOf<W::kForm, kInPairs>()};
  if constexpr (!kPacked && kFetchesNear) {
    kernels.near = DotRows<W, kInPairs, 1, false, WithNear<W, Usual>>;
    if constexpr (kFetchesIntoL1) {
      kernels.into_l1 = DotRows<W, kInPairs, 1, false, IntoL1<W>>;
      kernels.into_l1_near = DotRows<W, kInPairs, 1, false, WithNear<W, IntoL1<W>>>;
    }
  }
  return kernels;
}

// For one token and the chunk at block b of rows of `stride` bytes, whose blocks fetch `fetched`.
inline RowsKernel OneTokenKernel(const Kernels& kernels, size_t stride, size_t b, size_t fetched,
                                 bool into_l1) {
  const size_t next_end = (b / kMaxChunk + 2) * ChunkBytes(kernels.step);
  const bool next = kernels.near != nullptr && next_end <= stride;
  if (into_l1 && fetched == kernels.step) return next ? kernels.into_l1_near : kernels.into_l1;
  return next && NearPaysBesideL2(stride) ? kernels.near : kernels.rows[0];
}

// Row groups of a call from `row` on, where rows are taken whole: what is fetched ahead bounds the
// bytes of several (576 columns, Zen 4: 1.1 times as fast as one by one).
inline size_t GroupsOfCall(const QuantJob& job, size_t row) {
  if (!kWholeRows || job.w.packed) return 1;
  const size_t most = FetchStream::kLeastLead / (kGroup * job.w.row_bytes);
  return HWY_MAX(1, HWY_MIN(most, (job.row_end - row) / kGroup));
}

// Fewer than kGemmTokens tokens.
inline HWY_NOINLINE void RunGemv(const QuantJob& job, const Kernels& kernels) {
  const size_t n = job.x.n_tokens, blocks = job.x.cols / 32;
  const bool behind = job.w.packed && kWholePackedGroups;  // ChunkBehind fetches
  FetchStream* const far = behind ? nullptr : job.fetch;
  const bool into_l1 = kernels.into_l1 != nullptr && FetchesIntoL1();
  for (size_t row = job.row_begin, groups; row < job.row_end; row += groups * kGroup) {
    groups = GroupsOfCall(job, row);
    const Window window = WindowAt(job, row);
    const GroupAt rows(job.w, window.first);
    Store(window, n, job.out, job.out_stride, [&](float* to, size_t stride) {
      for (size_t b = 0, in_chunk; b < blocks; b += in_chunk) {
        in_chunk = kWholeRows ? blocks : HWY_MIN(kMaxChunk, blocks - b);
        const size_t steps = groups * in_chunk;
        const Ahead ahead = FetchStream::Beside(far, steps * kernels.step, steps);
        const RowsKernel kernel =
            n == 1 ? OneTokenKernel(kernels, job.w.row_bytes, b, ahead.step, into_l1)
                   : kernels.rows[n - 1];
        kernel({rows, groups, b, in_chunk, job.x.Row(0) + b * sizeof(ActBlock), job.x.stride, ahead,
                to, stride});
      }
    });
  }
  if (behind && job.fetch != nullptr) {
    job.fetch->Skip((job.row_end - job.row_begin) * job.w.row_bytes);
  }
}

// Which tile comes next when `left` of n tokens are left: the smallest that takes them all, else
// the smallest where two of it do (128 tokens are 20·6 + 2·4), else the largest; never more than n.
inline size_t NextTile(const Tiles& tiles, size_t left, size_t n) {
  size_t best = tiles.count - 1;
  if (left > tiles.tokens[0] && left <= 2 * tiles.tokens[best]) return best;
  for (size_t i = tiles.count; i-- > 0;) {
    if (tiles.tokens[i] > n) break;
    best = i;
    if (tiles.tokens[i] >= left) break;
  }
  return best;
}

// fn(i, t) for rounds of tiles over n tokens: tile i takes tokens from t on. A rest smaller than
// its tile is filled up by computing tokens before it once more: same values, same place.
template <class Fn>
HWY_INLINE void ForRounds(const Tiles& tiles, size_t n, Fn fn) {
  for (size_t t = 0; t < n;) {
    const size_t i = NextTile(tiles, n - t, n);
    const size_t at = HWY_MIN(t, n - tiles.tokens[i]);
    fn(i, at);
    t = at + tiles.tokens[i];
  }
}

inline size_t TileRounds(const Tiles& tiles, size_t n) {
  size_t rounds = 0;
  ForRounds(tiles, n, [&](size_t, size_t) { ++rounds; });
  return rounds;
}

// Panels of consecutive row groups.
struct Panels {
  size_t bytes;  // of one
  size_t count;
  size_t row;  // first row of the first
};

// All tokens times panels [begin, end), `groups` at a time.
inline HWY_NOINLINE void RunTiles(const QuantJob& job, const Panels& panels, size_t begin,
                                  size_t end, const Tiles& tiles, size_t groups, int raw,
                                  Ahead& ahead) {
  if (begin == end) return;
  const size_t blocks = job.x.cols / 32;
  ForRounds(tiles, job.x.n_tokens, [&](size_t i, size_t t) {
    for (size_t p = begin; p < end; p += groups, ahead.at += blocks * ahead.step) {
      const Window window = WindowAt(job, panels.row + p * kGroup);
      Store(window, tiles.tokens[i], job.out + t * job.out_stride, job.out_stride,
            [&](float* to, size_t stride) {
              tiles.kernel[i]({job.scratch + p * panels.bytes, panels.bytes, blocks, job.x.Row(t),
                               job.x.stride, raw, ahead, true, to, stride});
            });
    }
  });
}

// All tokens times all panels, two groups at a time where the target has tiles for them and both
// are whole. `fetch`: bytes to fetch meanwhile.
inline HWY_NOINLINE void RunPanels(const QuantJob& job, const Panels& panels,
                                   const Kernels& kernels, size_t fetch) {
  size_t paired = 0, steps = 0;
  if (kernels.pairs.count != 0) {
    const bool whole = WindowAt(job, panels.row + (panels.count - 1) * kGroup).count == kGroup;
    paired = (panels.count - (whole ? 0 : 1)) / 2 * 2;
    steps += TileRounds(kernels.pairs, job.x.n_tokens) * paired / 2;
  }
  steps += TileRounds(kernels.tiles, job.x.n_tokens) * (panels.count - paired);
  Ahead ahead = FetchStream::Beside(job.fetch, fetch, steps * (job.x.cols / 32));
  RunTiles(job, panels, 0, paired, kernels.pairs, 2, kernels.raw, ahead);
  RunTiles(job, panels, paired, panels.count, kernels.tiles, 1, kernels.raw, ahead);
}

// Blocks [b0, b0 + n) of the row group at `row` as a panel, fetching 1/`share` of as many bytes as
// it reads.
inline HWY_NOINLINE void Unpack(const QuantJob& job, const Kernels& kernels, size_t row, size_t b0,
                                size_t n, size_t share, uint8_t* panel) {
  const GroupAt rows(job.w, WindowAt(job, row).first);
  for (size_t b = 0; b < n; b += kMaxChunk) {
    const size_t in_chunk = HWY_MIN(kMaxChunk, n - b);
    kernels.unpack({rows, b0 + b, in_chunk,
                    FetchStream::Beside(job.fetch, in_chunk * kernels.step / share, in_chunk),
                    panel + b * kernels.panel_step});
  }
}

// Many tokens: the weights of later groups are fetched while panels are unpacked and tiles run, for
// about as long as each takes: memory never rests.
inline HWY_NOINLINE void RunGemm(const QuantJob& job, const Kernels& kernels) {
  const size_t blocks = job.x.cols / 32, panel_bytes = blocks * kernels.panel_step;
  const size_t room = HWY_MAX(size_t{1}, kPanelBudget / panel_bytes) * kGroup;
  const size_t share = 1 + TileRounds(kernels.tiles, job.x.n_tokens);
  for (size_t row = job.row_begin; row < job.row_end; row += room) {
    const size_t end = HWY_MIN(row + room, job.row_end);
    size_t n = 0;
    for (size_t r = row; r < end; r += kGroup, ++n) {
      Unpack(job, kernels, r, 0, blocks, share, job.scratch + n * panel_bytes);
    }
    const size_t bytes = n * kGroup * job.w.row_bytes;
    RunPanels(job, {panel_bytes, n, row}, kernels, bytes - bytes / share);
  }
}

constexpr size_t kFewRows = (kPairs ? 2 : 1) * kGroup;  // that RunFew takes at a time

// A few tokens, of which unpacking is most of the work: one or two groups at a time, in cuts of
// columns whose panels stay in L1 from unpacking to tiles (4 tokens 1.05 to 1.26, 16 tokens 1.02 to
// 1.1 times as fast as by whole rows). Sums wait in memory between cuts, 2 · tokens loads and
// stores a cut.
inline HWY_NOINLINE void RunFew(const QuantJob& job, const Kernels& kernels) {
  const size_t n = job.x.n_tokens, blocks = job.x.cols / 32;
  const size_t panel_bytes = kMostCutBlocks * kernels.panel_step;
  // [token of a round][row]: rounds overlap, by less than the smallest tile, and a token of two
  // rounds has a sum in each, for none may go on twice.
  HWY_ALIGN float sums[(kFewTokens + kMinTile) * kFewRows];
  for (size_t row = job.row_begin; row < job.row_end; row += kFewRows) {
    const size_t groups = HWY_MIN(kFewRows, job.row_end - row + kGroup - 1) / kGroup;
    const Tiles& tiles = groups == 1 ? kernels.tiles : kernels.pairs;
    const size_t rounds = TileRounds(tiles, n);
    for (size_t b = 0, in_cut; b < blocks; b += in_cut) {
      in_cut = blocks - b > kMostCutBlocks ? kCutBlocks : blocks - b;
      for (size_t g = 0; g < groups; ++g) {
        Unpack(job, kernels, row + g * kGroup, b, in_cut, 2, job.scratch + g * panel_bytes);
      }
      Ahead ahead =
          FetchStream::Beside(job.fetch, groups * in_cut * kernels.step / 2, rounds * in_cut);
      float* to = sums;
      ForRounds(tiles, n, [&](size_t i, size_t t) {
        tiles.kernel[i]({job.scratch, panel_bytes, in_cut, job.x.Row(t) + b * sizeof(ActBlock),
                         job.x.stride, kernels.raw, ahead, b == 0, to, kFewRows});
        ahead.at += in_cut * ahead.step;
        to += tiles.tokens[i] * kFewRows;
      });
    }
    const float* from = sums;
    ForRounds(tiles, n, [&](size_t i, size_t t) {
      for (size_t g = 0; g < groups; ++g) {
        const Window window = WindowAt(job, row + g * kGroup);
        CopyWindow(window, tiles.tokens[i], from + g * kGroup, kFewRows,
                   job.out + t * job.out_stride, job.out_stride);
      }
      from += tiles.tokens[i] * kFewRows;
    });
  }
}

// How far ahead to fetch: the rows that are read abreast, however wide other matrices are, two
// rounds of them where they are unpacked in between, panels where many are. (Two threads, to 16
// rows of the widest matrix. Zen 3: one token 1.03 to 1.2, four sequences 1.05 to 1.09, sixteen
// 1.03; half of what is read abreast 0.75 to 0.9. Zen 5, one token of 1.1B: Q8_0 1.5, Q4_0 1.2.)
inline size_t LeadBytes(const QuantJob& job) {
  const size_t n = job.x.n_tokens;
  const size_t one = job.w.packed ? kPackedRows : kGroup;
  const size_t rows = (n < kGemmTokens ? one : 2 * kFewRows) * job.w.row_bytes;
  return n <= kFewTokens ? rows : HWY_MAX(rows, kPanelBudget);
}

inline HWY_NOINLINE void Run(QuantJob job, const Kernels& kernels) {
  FetchStream::SetLead(job.fetch, LeadBytes(job));
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
  if (job.x.n_tokens < kGemmTokens) {
    RunGemv(job, kernels);
  } else if (job.x.n_tokens <= kFewTokens) {
    RunFew(job, kernels);
  } else {
    RunGemm(job, kernels);
  }
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
