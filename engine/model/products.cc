// Chunks are numbered through all products, so that one loop balances them over the workers: the
// three projections of attention are one stage. Tested by products_test.cc and forward_test.cc.
#include "engine/model/products.h"

#include <algorithm>
#include <numeric>

#include "engine/kernels/order.h"

namespace smallmind {

size_t ChunkRows(const WeightView& w, size_t rows, size_t n_tokens, size_t workers,
                 size_t multiple) {
  const size_t unit = std::lcm(MatMulRowGrain(w, n_tokens), multiple);
  const size_t share = rows / (workers * 8);
  return std::max(unit, share / unit * unit);
}

FfnInput FfnInputOf(const LayerWeights& layer) {
  if (layer.router) return {layer.gate_exps[0], layer.up_exps[0]};
  return layer.gate ? FfnInput{layer.gate, layer.up} : FfnInput{layer.up, {}};
}

size_t FfnChunkRows(const FfnInput& in, size_t n_tokens, size_t workers) {
  constexpr size_t kBytes = size_t{256} << 10;  // a quarter of a common L2
  const WeightView& w = in.first.weight;
  const size_t unit = ChunkRows(w, 0, n_tokens, workers, kActBlock);
  const size_t most = kBytes / (2 * sizeof(float) * n_tokens) / unit * unit;
  return std::max(unit, std::min(most, ChunkRows(w, w.rows, n_tokens, workers, kActBlock)));
}

Products::Products(std::span<const Product> products, size_t n_tokens, size_t workers)
    : count_(products.size()) {
  size_t rows = 0;
  for (const Product& product : products) rows += product.linear->weight.rows;
  for (size_t i = 0; i < count_; ++i) {
    const WeightView& weight = products[i].linear->weight;
    products_[i] = products[i];
    rows_[i] = ChunkRows(weight, rows, n_tokens, workers, 1);
    first_chunk_[i] = chunks_;
    chunks_ += (weight.rows + rows_[i] - 1) / rows_[i];
  }
}

Products::Chunk Products::At(size_t chunk) const {
  size_t i = count_ - 1;
  while (chunk < first_chunk_[i]) --i;
  const size_t begin = (chunk - first_chunk_[i]) * rows_[i];
  return {&products_[i], begin, std::min(begin + rows_[i], products_[i].linear->weight.rows)};
}

size_t Products::BytesBefore(size_t chunk) const {
  size_t bytes = 0;
  for (size_t i = 0; i < count_ && chunk > first_chunk_[i]; ++i) {
    const WeightView& weight = products_[i].linear->weight;
    bytes += std::min((chunk - first_chunk_[i]) * rows_[i], weight.rows) * weight.row_bytes;
  }
  return bytes;
}

uint64_t Products::Plan(const Worker& worker, FetchStream& fetch) const {
  const uint64_t mark = fetch.end();
  const Worker::Share share = worker.ShareOf(chunks_, 1);
  for (size_t i = share.begin; i < share.end; ++i) {
    const Chunk chunk = At(i);
    fetch.Push(chunk.product->linear->weight.Bytes(chunk.begin, chunk.end));
  }
  return mark;
}

}  // namespace smallmind
