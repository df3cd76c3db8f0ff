// Chunks are numbered through all products, so that one loop balances them over the workers: the
// three projections of attention are one stage. Tested by products_test.cc and forward_test.cc.
#include "engine/model/products.h"

#include <algorithm>

namespace smallmind {
namespace {

// Fetching more than this into a quarter of the L2 cache would push out what is needed sooner.
constexpr size_t kMostFetched = size_t{128} << 10;

ByteRange Limited(ByteRange range) { return {range.data, std::min(range.bytes, kMostFetched)}; }

}  // namespace

size_t ChunkRows(const WeightView& w, size_t n_tokens, size_t workers, size_t multiple) {
  const size_t grain = MatMulRowGrain(w, n_tokens);
  const size_t unit = grain % multiple == 0 ? grain : grain * multiple;
  const size_t share = w.rows / (workers * 8);
  return std::max(unit, share / unit * unit);
}

ByteRange ShareStart(const Worker& worker, const WeightView& w, size_t rows) {
  const Worker::Share share = worker.ShareOf(w.rows, rows);
  return share.begin < share.end ? Limited(w.Bytes(share.begin, share.end)) : ByteRange{};
}

Products::Products(std::span<const Product> products, size_t n_tokens, size_t workers)
    : count_(products.size()) {
  for (size_t i = 0; i < count_; ++i) {
    const WeightView& weight = products[i].linear->weight;
    products_[i] = products[i];
    rows_[i] = ChunkRows(weight, n_tokens, workers, 1);
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

ByteRange Products::Bytes(size_t chunk, size_t end) const {
  if (chunk >= end) return {};
  const Chunk first = At(chunk), last = At(end - 1);
  const WeightView& weight = first.product->linear->weight;
  return weight.Bytes(first.begin, last.product == first.product ? last.end : weight.rows);
}

ByteRange Products::Start(const Worker& worker) const {
  const Worker::Share share = worker.ShareOf(chunks_, 1);
  return Limited(Bytes(share.begin, share.end));
}

}  // namespace smallmind
