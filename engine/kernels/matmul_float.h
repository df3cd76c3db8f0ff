// Float half of the matrix products: what matmul.h's functions need to know of F32, F16 and BF16
// weights.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/kernels/acts.h"
#include "engine/tensor/fetch_stream.h"
#include "engine/tensor/view.h"

namespace smallmind {

// Rows a caller hands out at once: whole tiles, and enough of them to pay for the call.
size_t FloatMatMulRowGrain(const WeightView& w, size_t n_tokens);

// What differs between processors of one target where a register holds 16 floats: which order of
// the same work is the faster. Results do not depend on it.
struct FloatCpu {
  // One token reads the four quarters of a chunk of rows abreast, each in its own order, and not
  // four rows that follow each other: every quarter is a stream that prefetchers know, and four of
  // them have more under way than one. On Zen 5, beside one row after another (which was 1.1 to 1.2
  // times as fast as four that follow each other, and slower on Emerald Rapids and Zen 3): 135M in
  // BF16 1.21, in F16 1.15; 1.1B 1.17 and 1.27; two halves 1.05 to 1.12. Not of registers of eight
  // (Zen 4 without AVX-512): quarters of a chunk 0.75; of a thread's whole share, without
  // software's prefetches, 1.1B 0.85 to 0.93; one row after another 0.84 to 0.9.
  bool reads_parts = false;
  // F16 is widened in the tile, not once into a panel: free where conversions have units beside
  // FMA's, as AMD's do (Zen 5: prompts of 256 tokens 1.06 to 1.1 times as fast). Intel's take two
  // of FMA's slots.
  bool widens_in_tile = false;

  static FloatCpu This();
};

// One thread's share of a float product, as the per-target kernels take it.
struct FloatJob {
  WeightView w;
  size_t row_begin, row_end;
  FloatRows x;
  float* out;  // of row_begin
  size_t out_stride;
  std::span<uint8_t> scratch;  // FloatScratch::Bytes
  FetchStream* fetch;          // or null
  FloatCpu cpu;
};

// MatMul of matmul.h, in either order of reading.
void MatMul(const FloatJob& job);

// Many tokens run on panels of rows (matmul_float_tiles-inl.h).
inline constexpr size_t kWideTokens = 12;  // from so many on, widening a panel pays
inline constexpr size_t kFloatPanelRows = 32;
inline constexpr size_t kFloatPanelBytes = size_t{768} << 10;  // of L2
// What a tile reads of its activations over one block of columns, again for each of a panel's rows,
// stays in L1: their rows, or one register's part of packed ones (1,024 columns of 4 tokens; half
// as many: 0.93 of that speed, twice: 0.96 on Zen 3).
inline constexpr size_t kFloatCutBytes = size_t{15} << 10;
inline constexpr size_t kFloatPartBytes = size_t{8} << 10;

// A widened row of up to `cols` columns: whole steps of BF16 pairs, and an odd number of lines.
constexpr size_t FloatPanelRowBytes(size_t cols) { return ((cols + 31) / 32 * 2 | 1) * 64; }

// One thread's scratch, apart.
struct FloatScratch {
  float* panel;  // rows of FloatPanelRowBytes
  float* lanes;  // accumulators of a panel's tiles
  float* acts;   // a tile's activations over one cut

  static constexpr size_t kLanesBytes = kFloatPanelRows * 6 * 64;
  static constexpr size_t Bytes(size_t max_cols) {
    return std::max(kFloatPanelBytes, 4 * FloatPanelRowBytes(max_cols)) + kLanesBytes +
           kFloatCutBytes;
  }
  explicit FloatScratch(std::span<uint8_t> bytes)
      : panel(reinterpret_cast<float*>(bytes.data() + kLanesBytes + kFloatCutBytes)),
        lanes(reinterpret_cast<float*>(bytes.data())),
        acts(reinterpret_cast<float*>(bytes.data() + kLanesBytes)) {}
};

}  // namespace smallmind
