// Several sequences on one model that advance together: one forward pass a step reads the weights
// once for all of them. What a server's batched decoding is made of.
#pragma once

#include <span>
#include <vector>

#include "engine/session.h"

namespace smallmind {

class SequenceGroup {
 public:
  // Each sequence has a cache of options.context positions. n ≥ 1.
  SequenceGroup(const Engine& engine, const SessionOptions& options, size_t n);

  size_t size() const { return caches_.size(); }
  size_t position(size_t sequence) const { return caches_[sequence].length(); }
  void Reset();
  // Stages of every pass are added to it; null: none.
  void set_timers(StageTimers* timers) { executor_.set_timers(timers); }

  // Appends tokens to one sequence. Returns the last one's logits (vocab floats, valid until the
  // next call). Throws InputError where they do not fit.
  std::span<const float> Prefill(size_t sequence, std::span<const TokenId> tokens);

  // Appends one token to every sequence: tokens[i] to sequence i. Returns their logits,
  // [size()][vocab], valid until the next call: to the bit what each sequence gives alone.
  std::span<const float> Decode(std::span<const TokenId> tokens);

 private:
  SessionOptions options_;
  Executor executor_;
  std::vector<KvCache> caches_;
  std::vector<BatchToken> batch_;
};

}  // namespace smallmind
