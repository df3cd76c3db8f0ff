// One worker's walk through a forward pass: the stages of a layer and the barriers between them.
//
// Barriers a layer for a single token: five (after QKV, attention, output projection, gate/up,
// down; pass_experts.cc has its own). Token-wise work of a single token (norms, residual adds,
// quantisation) is done by every worker on a copy of its own: a few hundred nanoseconds repeated
// are cheaper than another barrier. A batch splits token-wise work over workers and pays three
// barriers more.
#pragma once

#include <span>

#include "engine/kernels/attention.h"
#include "engine/model/executor.h"
#include "engine/model/products.h"

namespace smallmind {

class Pass {
 public:
  Pass(Executor& e, Worker& w);
  void Run();

 private:
  void Embed();
  void SelfAttention(size_t layer);
  void FeedForward(size_t layer);
  void ExpertFeedForward(size_t layer);
  void Head();

  // Residual add of the previous block's output (with its post-norm), then a norm into normed_.
  void AddAndNorm(bool add, const Norm& post, const Norm& norm);
  void ApplyNorm(const Norm& norm, const float* x, size_t n, float* out) const;
  void Rotate(const Norm& norm, size_t layer, size_t token, float* head) const;
  void RotateAndStore(size_t layer, size_t token, size_t kv_head);
  void PrepareQueries(size_t layer, size_t token, size_t kv_head);
  void AttendAlone(size_t layer, bool store_only);
  void AttendGroup(size_t layer, size_t kv_head, size_t first, size_t last);
  void QuantiseGroup(size_t kv_head, size_t first, size_t last);
  size_t FirstVisible(size_t layer, size_t pos) const;
  AttentionShape Shape() const;
  KvHeadView Kv(KvCache& cache, size_t layer, size_t kv_head) const;
  AttentionQuery Query(size_t layer, size_t token, size_t row, size_t h) const;
  void FinishAttention();
  void DropUnwanted();
  // The products of the active tokens, then a barrier.
  void Multiply(const Products& products, ActBuffer& acts, size_t first_row);
  void MatMulRows(const Linear& linear, size_t begin, size_t end, ActBuffer& acts, size_t first_row,
                  size_t n, float* out, size_t stride, FetchStream* fetch = nullptr);
  // Mixture of experts: each token's experts, and from them every worker's plan of the slots.
  void ChooseExperts();
  void PlanDownExperts(const LayerWeights& layer, size_t begin, size_t end,
                       FetchStream& fetch) const;
  void DownExperts(const LayerWeights& layer, size_t begin, size_t end, FetchStream* fetch);
  void Activate(float* gate, const float* up, size_t n) const;  // up: null without a gate
  // Rows [begin, end) of both matrices, their product and its quantisation, by one worker and in
  // its own cache: what others see is the result in `mid`, in the forms `down` reads.
  struct FfnTokens {
    ActBuffer* acts;
    size_t acts_row;
    size_t n;
    ActBuffer* mid;
    size_t mid_row;
  };
  void ActivatedRows(const FfnInput& in, const FfnTokens& tokens, size_t begin, size_t end,
                     const Linear& down, FetchStream* fetch);

  // The stages' products.
  Products QkvProducts(const LayerWeights& layer) const;
  Products OutProducts(const LayerWeights& layer) const;
  Products DownProducts(const LayerWeights& layer) const;
  Products RouterProducts(const LayerWeights& layer) const;
  size_t FfnChunk(const FfnInput& in) const;
  size_t HeadChunk() const;
  // Weights are planned one stage ahead (FetchStream): each stage calls Begin(Plan… of the next).
  uint64_t PlanFfn(const LayerWeights& layer);
  uint64_t PlanAfterLayer(size_t layer);
  void Begin(uint64_t next_mark);
  // The stream by which a chunk is read: the worker's plan, which stands at `at` there, or for a
  // chunk of another worker's share a stream of its own, in the chunk's order. Without one it is
  // read at half the speed, and everybody waits for the last chunk of a stage.
  FetchStream* Reading(bool own, uint64_t at, std::span<const ByteRange> chunk);

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
  Executor::WorkerState& state_;
  FetchStream& fetch_;             // what this worker reads
  uint64_t start_ = 0, mark_ = 0;  // in fetch_: of the present stage's weights, of the next's
};

}  // namespace smallmind
