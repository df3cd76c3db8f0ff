// One worker's walk through a forward pass: the stages of a layer and the barriers between them.
//
// Barriers a layer for a single token: five (after QKV, attention, output projection, gate/up,
// down). Token-wise work of a single token (norms, residual adds, quantisation) is done by every
// worker on a copy of its own: a few hundred nanoseconds repeated are cheaper than another barrier.
// A batch splits token-wise work over workers and pays three barriers more.
#pragma once

#include <span>

#include "engine/kernels/attention.h"
#include "engine/model/executor.h"

namespace smallmind {

class Pass {
 public:
  Pass(Executor& e, Worker& w);
  void Run();

 private:
  struct Product {  // out[t·stride + row] = linear row · activation t
    const Linear* linear;
    float* out;
    size_t stride;
  };

  void Embed();
  void SelfAttention(size_t layer);
  void FeedForward(const LayerWeights& layer);
  void ExpertFeedForward(const LayerWeights& layer);
  void Head();

  // Residual add of the previous block's output (with its post-norm), then a norm into normed_.
  void AddAndNorm(bool add, const Norm& post, const Norm& norm, bool quantise);
  void ApplyNorm(const Norm& norm, const float* x, size_t n, float* out) const;
  void RotateAndStore(size_t layer, size_t token, size_t kv_head);
  void PrepareQueries(size_t layer, size_t token, size_t head_begin, size_t head_end);
  void AttendAlone(size_t layer, bool store_only);
  void AttendGroup(size_t layer, size_t kv_head, size_t first, size_t last);
  void QuantiseGroup(size_t kv_head, size_t first, size_t last);
  size_t FirstVisible(size_t layer, size_t pos) const;
  AttentionShape Shape() const;
  KvHeadView Kv(KvCache& cache, size_t layer, size_t kv_head) const;
  AttentionQuery Query(size_t layer, size_t token, size_t row, size_t h) const;
  void FinishAttention();
  void DropUnwanted();
  void Products(std::span<const Product> products, ActBuffer& acts, size_t first_row, size_t n);
  void MatMulRows(const Linear& linear, size_t begin, size_t end, ActBuffer& acts, size_t first_row,
                  size_t n, float* out, size_t stride);
  void Activate(float* gate, const float* up, size_t n) const;

  // Rows handed out at once: whole tiles and a multiple of `multiple`, about eight chunks a worker
  // so that a slow one holds nobody up.
  static size_t ChunkRows(const WeightView& w, size_t n_tokens, size_t workers, size_t multiple);

  template <typename Body>
  void Tokenwise(Body&& body);  // body(token) over the active tokens
  void Sync() {                 // after token-wise work that others read
    if (!solo_) w_.Barrier();
  }
  // Index in the batch of active token t.
  size_t TokenOf(size_t t) const { return dropped_ ? e_.wanted_[t] : t; }
  // Row of token t in per-token buffers: the worker's own where the batch is one token.
  size_t RowOf(size_t t) const { return solo_ ? w_.index() : t; }
  float* X(size_t t) const;
  const float* Angles(size_t t, bool local) const;
  std::span<uint8_t> Scratch() const;

  Executor& e_;
  Worker& w_;
  const ModelSpec& s_;
  const bool solo_;
  size_t n_;               // active tokens: all, then only the wanted ones in the last layer
  bool dropped_ = false;   // unwanted tokens are gone
  size_t attn_first_ = 0;  // first row of attn_ that the output projection reads
  StageClock clock_;
};

}  // namespace smallmind
