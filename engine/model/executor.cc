// Checks a batch, grows scratch, sends the team through Pass. See pass.h for the walk itself.
//
// Scratch for T tokens of a 1.1B model is about 100 KiB a token; a one-token prompt therefore stays
// small. Tested by forward_test.cc: golden logits, batch splits, thread counts; concurrent sessions
// by session_test.cc.

#include "engine/model/executor.h"

#include <algorithm>

#include "engine/base/error.h"
#include "engine/kernels/attention.h"
#include "engine/kernels/matmul.h"
#include "engine/kernels/order.h"
#include "engine/model/executor_state.h"
#include "engine/model/pass.h"

namespace smallmind {
namespace {

constexpr size_t kMostLogits = size_t{16} << 20;  // floats kept of one pass, where all are wanted

ActForms Wants(const Linear& linear) {
  return linear ? ActForms::For(linear.weight.type) : ActForms{};
}

ActForms Wants(const ExpertMatrices& experts) {
  ActForms forms = Wants(experts.stacked);
  for (const Linear& expert : experts.split) forms |= Wants(expert);
  return forms;
}

// Neighbours of one cache are one pass of its sequence.
void ClaimPlaces(std::span<const BatchToken> tokens) {
  for (size_t begin = 0, end = 0; begin < tokens.size(); begin = end) {
    while (end < tokens.size() && tokens[end].cache == tokens[begin].cache) ++end;
    tokens[begin].cache->Claim(tokens[begin].pos, tokens[end - 1].pos + 1);
  }
}

}  // namespace

Executor::Executor(const Model& model, size_t threads) : model_(model), team_(threads) {
  const ModelSpec& s = model.spec;
  for (const LayerWeights& layer : model.weights.layers) {
    forms_.attn_in |= Wants(layer.q) | Wants(layer.k) | Wants(layer.v);
    forms_.attn_out |= Wants(layer.o);
    forms_.ffn_in |= Wants(layer.gate) | Wants(layer.up) | Wants(layer.gate_exps) |
                     Wants(layer.up_exps) | Wants(layer.router);
    forms_.ffn_mid |= Wants(layer.down) | Wants(layer.down_exps);
  }
  forms_.head = Wants(model.weights.output);
  if (s.n_experts > 0) experts_ = std::make_unique<ExpertState>();
  workers_.resize(team_.size());
  for (WorkerState& worker : workers_) {
    worker.queries.reserve(kTokenTile * (s.n_heads / s.n_kv_heads));
    worker.probs.resize(s.n_experts);
  }
  const size_t widest = std::max({s.dim, s.ff, s.expert_ff, s.attn_out_dim()});
  matmul_scratch_ = (MatMulScratchBytes(widest) + 63) / 64 * 64;
  attn_scratch_ =
      (AttentionScratchBytes(s.head_dim_k, s.head_dim_v, kTokenTile * (s.n_heads / s.n_kv_heads)) +
       63) /
      64 * 64;
}

Executor::~Executor() = default;

void Executor::Append(KvCache& cache, std::span<const int32_t> tokens, size_t batch,
                      bool all_logits, const std::function<void(std::span<const float>)>& sink) {
  const size_t vocab = model_.spec.vocab;
  // Logits of 512 tokens and 262,144 ids would be half a gigabyte; batches may be cut anywhere.
  if (all_logits) batch = std::clamp<size_t>(kMostLogits / vocab, 1, batch);
  for (size_t done = 0; done < tokens.size();) {
    const size_t n = std::min(batch, tokens.size() - done);
    appended_.clear();
    for (size_t i = 0; i < n; ++i) {
      const bool last = done + i + 1 == tokens.size();
      appended_.push_back({tokens[done + i], &cache, cache.length() + i, all_logits || last});
    }
    const std::span<const float> logits = Forward(appended_);
    cache.set_length(cache.length() + n);
    done += n;
    for (size_t at = 0; at < logits.size(); at += vocab) sink(logits.subspan(at, vocab));
  }
}

KvShape Executor::CacheShape(const ModelSpec& spec, DType type, size_t context, size_t batch) {
  return {.type = type,
          .n_layers = spec.n_layers,
          .n_kv_heads = spec.n_kv_heads,
          .head_dim_k = spec.head_dim_k,
          .head_dim_v = spec.head_dim_v,
          .context = context,
          .window = spec.window,
          .layer_windowed = spec.layer_windowed,
          .batch = batch};
}

void Executor::Check(std::span<const BatchToken> tokens) const {
  for (const BatchToken& token : tokens) {
    if (token.id < 0 || static_cast<size_t>(token.id) >= model_.spec.vocab) {
      throw InputError("token id " + std::to_string(token.id) + " is outside the vocabulary of " +
                       std::to_string(model_.spec.vocab));
    }
    if (token.pos >= token.cache->context()) {
      throw InputError("position " + std::to_string(token.pos) + " is past the context of " +
                       std::to_string(token.cache->context()) + " positions");
    }
    if (model_.weights.position_embedding && token.pos >= model_.weights.position_embedding.rows) {
      throw InputError("position " + std::to_string(token.pos) + " is past the model's " +
                       std::to_string(model_.weights.position_embedding.rows) +
                       " position embeddings");
    }
  }
}

void Executor::Reserve(std::span<const BatchToken> tokens) {
  const ModelSpec& s = model_.spec;
  const size_t n = tokens.size();
  const size_t rows = n == 1 ? team_.size() : n;
  x_.Reserve(rows * s.dim);
  angles_.Reserve(rows * 4 * (s.rope.n_rot / 2));
  normed_.Reserve(rows, s.dim, forms_.attn_in | forms_.ffn_in | forms_.head, n > 1);
  qkv_.Reserve(n * (s.q_dim() + s.k_dim() + s.v_dim()));
  attn_.Reserve(rows, s.attn_out_dim(), forms_.attn_out, n > 1);
  if (s.n_experts == 0) {
    mid_.Reserve(n, s.ff, forms_.ffn_mid, n > 1);
  } else {
    experts_->Reserve(s, n, rows, forms_.ffn_in, forms_.ffn_mid);
    for (WorkerState& worker : workers_) worker.experts.Reserve(n * s.n_experts_used, s.n_experts);
  }
  for (const size_t active : {n, wanted_.size()}) {  // the last layer runs for the wanted alone
    for (const LayerWeights& layer : model_.weights.layers) {
      if (active == 0) continue;
      const size_t chunk = FfnChunkRows(FfnInputOf(layer), active, team_.size());
      ffn_floats_ = std::max(ffn_floats_, RoundUp16(2 * active * chunk));
    }
  }
  ffn_.Reserve(team_.size() * ffn_floats_);
  residual_.Reserve(n * s.dim);
  if (n == 1) {
    const size_t blocks = tokens[0].pos / kAttnBlock + 1;
    partials_.Reserve(s.n_heads * blocks * AttentionPartialFloats(s.head_dim_v));
  }
  logits_.Reserve(wanted_.size() * s.vocab);
  scratch_.Reserve(team_.size() * (matmul_scratch_ + attn_scratch_));
}

std::span<const float> Executor::Forward(std::span<const BatchToken> tokens) {
  if (tokens.empty()) return {};
  Check(tokens);
  ClaimPlaces(tokens);
  tokens_ = tokens;
  wanted_.clear();
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].logits) wanted_.push_back(i);
  }
  Reserve(tokens);
  team_.Run([this](Worker& w) { Pass(*this, w).Run(); });
  return {logits_.data(), wanted_.size() * model_.spec.vocab};
}

}  // namespace smallmind
