// Matrix products that share their activations, as one loop over chunks of rows.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "engine/kernels/matmul.h"
#include "engine/model/weights.h"
#include "engine/runtime/thread_team.h"

namespace smallmind {

// out[t·stride + row] = row of `linear` · activation t.
struct Product {
  const Linear* linear = nullptr;
  float* out = nullptr;
  size_t stride = 0;
};

// Rows of `w` handed out at once in a stage of `rows` rows: whole tiles and a multiple of
// `multiple`, about eight chunks a worker so that a slow one holds nobody up.
size_t ChunkRows(const WeightView& w, size_t rows, size_t n_tokens, size_t workers,
                 size_t multiple);

// What the first half of a feed-forward multiplies by.
struct FfnInput {
  Linear first;  // gate, or up where there is no gate
  Linear up;     // empty where there is no gate

  size_t row_bytes() const { return first.weight.row_bytes + up.weight.row_bytes; }
  std::array<ByteRange, 2> Bytes(size_t begin, size_t end) const {  // of rows [begin, end)
    return {first.weight.Bytes(begin, end), up.weight.Bytes(begin, end)};
  }
};

// Of a layer; of its first expert where it has experts.
FfnInput FfnInputOf(const LayerWeights& layer);

// ChunkRows of it, but few enough for `n_tokens` that both results of a chunk stay in a core's own
// cache until they are one; whole blocks of activations.
size_t FfnChunkRows(const FfnInput& in, size_t n_tokens, size_t workers);

class Products {
 public:
  static constexpr size_t kMost = 4;

  // At most kMost products, none of them empty; `n_tokens` decides the chunks' size.
  Products(std::span<const Product> products, size_t n_tokens, size_t workers);

  size_t chunks() const { return chunks_; }

  struct Chunk {
    const Product* product;
    size_t begin, end;  // rows
  };
  Chunk At(size_t chunk) const;

  // Bytes of the chunks [begin, end). Asked for every chunk of a microsecond: no loop over chunks.
  size_t Bytes(size_t begin, size_t end) const { return BytesBefore(end) - BytesBefore(begin); }

  // Tells `fetch` what `worker` reads of them: its share, in order. Returns the mark of its start.
  uint64_t Plan(const Worker& worker, FetchStream& fetch) const;

 private:
  size_t BytesBefore(size_t chunk) const;

  std::array<Product, kMost> products_{};
  std::array<size_t, kMost> rows_{}, first_chunk_{};
  size_t count_, chunks_ = 0;
};

}  // namespace smallmind
