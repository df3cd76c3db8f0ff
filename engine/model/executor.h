// Runs the transformer: a batch of tokens in, logits out. Owns threads and scratch, no sequence
// state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/model/act_buffer.h"
#include "engine/model/model.h"
#include "engine/model/timers.h"
#include "engine/runtime/aligned_buffer.h"
#include "engine/runtime/kv_cache.h"
#include "engine/runtime/thread_team.h"

namespace smallmind {

// One token of a batch. Tokens of one sequence are consecutive, at consecutive positions; several
// sequences may share a batch.
struct BatchToken {
  int32_t id = 0;
  KvCache* cache = nullptr;
  size_t pos = 0;
  bool logits = false;  // compute this token's logits
};

class Executor {
 public:
  // `model` outlives the executor. threads ≥ 1.
  Executor(const Model& model, size_t threads);
  ~Executor();

  // Logits of the tokens that asked for them, in batch order: n × vocab, valid until the next call.
  // Writes the tokens' keys and values to their caches; does not change a cache's length. Throws
  // InputError on an id outside the vocabulary, a position outside the cache, or what
  // KvCache::Claim refuses.
  std::span<const float> Forward(std::span<const BatchToken> tokens);

  // Appends tokens to a sequence, at most `batch` a pass, and moves the cache's length on. Hands
  // the last token's logits, or every token's, to `sink` in order. The tokens must fit the cache.
  void Append(KvCache& cache, std::span<const int32_t> tokens, size_t batch, bool all_logits,
              const std::function<void(std::span<const float>)>& sink);

  size_t threads() const { return team_.size(); }
  void set_timers(StageTimers* timers) { timers_ = timers; }

  // The KV cache that fits this model, for passes of at most `batch` tokens of its sequence.
  static KvShape CacheShape(const ModelSpec& spec, DType type, size_t context,
                            size_t batch = SIZE_MAX);

 private:
  friend class Pass;
  void Check(std::span<const BatchToken> tokens) const;
  void Reserve(std::span<const BatchToken> tokens);

  const Model& model_;
  ThreadTeam team_;
  StageTimers* timers_ = nullptr;

  // Which forms of activations the matrices want, by input site.
  struct Sites {
    ActForms attn_in, attn_out, ffn_in, ffn_mid, head;
  } forms_;

  std::vector<BatchToken> appended_;  // Append's batch

  // The batch being run.
  std::span<const BatchToken> tokens_;
  std::vector<size_t> wanted_;  // indices of tokens whose logits are asked for

  // Scratch, grown to the largest batch seen. Rows are tokens, or workers where a batch is one
  // token.
  AlignedBuffer<float> x_;          // [rows][dim] residual stream
  AlignedBuffer<float> angles_;     // [rows][2 kinds][cos, sin][n_rot/2]
  ActBuffer normed_;                // [rows][dim] input of QKV, feed-forward and head
  AlignedBuffer<float> qkv_;        // [tokens][q_dim + k_dim + v_dim]
  ActBuffer attn_;                  // [rows][attn_out_dim]
  ActBuffer mid_;                   // [tokens][ff] the activated product
  AlignedBuffer<float> ffn_;        // [threads][2][tokens][a chunk's rows] gate and up
  size_t ffn_floats_ = 0;           // a thread
  AlignedBuffer<float> residual_;   // [tokens][dim] what a block adds to x
  AlignedBuffer<float> partials_;   // of one token's attention over blocks of a long context
  AlignedBuffer<float> logits_;     // [wanted][vocab]
  AlignedBuffer<uint8_t> scratch_;  // [threads] kernels' scratch
  size_t matmul_scratch_ = 0;       // bytes a thread
  size_t attn_scratch_ = 0;

  struct ExpertState;
  std::unique_ptr<ExpertState> experts_;
  struct WorkerState;
  std::vector<WorkerState> workers_;
};

}  // namespace smallmind
