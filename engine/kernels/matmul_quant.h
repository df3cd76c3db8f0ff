// One thread's share of a quantised matrix product, as the per-target kernels take it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/acts.h"
#include "engine/kernels/matmul.h"
#include "engine/tensor/view.h"

namespace smallmind {

struct QuantJob {
  WeightView w;
  size_t row_begin, row_end;
  QuantRows x;
  float* out;  // of row_begin
  size_t out_stride;
  uint8_t* scratch;    // 64-byte aligned, QuantScratchBytes
  FetchStream* fetch;  // or null
};

// Which float factors a block of 32 columns has (order.h).
enum class QuantForm {
  kScale,     // t = ws·isum
  kTwoScale,  // t = ws·isum + ws2·isum2 (Q6_K)
  kMin,       // t = ws·isum − wm·xsum
  kTwoMin,    // the same, xsum weighted by two small integers (Q2_K)
};

// Unpacked weights of several row groups are kept at once, so that a tile of tokens is read once
// for all of them. They share a 1 MiB L2 cache with the stored weights fetched for the next ones
// and the activations.
inline constexpr size_t kPanelBudget = size_t{256} << 10;

// Bytes that 32 columns of a row take at most, as stored: Q8_0's.
inline constexpr size_t kMostStoredBytes = 34;

// Scratch for matrices of up to max_cols columns: one panel of 16 rows at its largest (13 vectors
// of 64 bytes a block of 32) or the budget, and 16 rows as stored for matrices smaller than a
// group.
constexpr size_t QuantScratchBytes(size_t max_cols) {
  const size_t panel = max_cols / 32 * 13 * 64;
  const size_t rows = (max_cols / 32 + 8) * kMostStoredBytes * 16 + 64;
  return (panel > kPanelBudget ? panel : kPanelBudget) + rows;
}

// From this many tokens on, unpacking pays.
inline constexpr size_t kGemmTokens = 4;

// Rows of a whole group on the widest target; narrower targets divide it.
inline constexpr size_t kQuantRowGrain = 16;

void MatMulQuant(const QuantJob& job);

}  // namespace smallmind
