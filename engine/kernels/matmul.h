// Matrix products: out[t][r] = dot(weight row r, activation row t) for a range of weight rows.
//
// Pure functions: no threads, no model, no allocation. A caller splits rows over threads as it
// likes; the result of a row never depends on the split (order.h). One to a few tokens run row
// streams at memory speed, more tokens run register tiles over a cache-resident weight panel,
// unpacked or widened into `scratch`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/kernels/acts.h"
#include "engine/tensor/fetch_stream.h"
#include "engine/tensor/view.h"

namespace smallmind {

// Bytes of scratch one thread needs for any matrix of up to `max_cols` columns. 64-byte aligned.
size_t MatMulScratchBytes(size_t max_cols);

// Rows a caller should hand out at once, so that tiles are whole: a multiple of it, but for the
// last. With many tokens, larger contiguous ranges are better: weights of later rows are fetched
// while earlier ones run. Depends on the type, the shape and the number of tokens only.
size_t MatMulRowGrain(const WeightView& w, size_t n_tokens);

// Writes out[t*out_stride + r − row_begin] for r in [row_begin, row_end), t in [0, x.n_tokens). The
// type must want this form of activations (UsesQuantRows). Of a packed matrix row_begin is a
// multiple of 16 (tensor/packed.h).
// `fetch`: where the row range is what it says is read next. Products that wait for memory fetch by
// it: all but float ones of many tokens.
void MatMul(const WeightView& w, size_t row_begin, size_t row_end, const QuantRows& x, float* out,
            size_t out_stride, std::span<uint8_t> scratch, FetchStream* fetch = nullptr);
void MatMul(const WeightView& w, size_t row_begin, size_t row_end, const FloatRows& x, float* out,
            size_t out_stride, std::span<uint8_t> scratch, FetchStream* fetch = nullptr);

// Decodes one row of any type to float32 (embedding look-up), by tensor/decode.h.
void DecodeRow(const WeightView& w, size_t row, float* out);

}  // namespace smallmind
