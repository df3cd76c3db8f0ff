// Parts of Executor's scratch that only mixture-of-experts models have, and constants the walk
// shares.
#pragma once

#include "engine/model/executor.h"
#include "engine/model/experts.h"

namespace smallmind {

// Tokens whose queries share one attention call: keys are loaded once for all of them.
inline constexpr size_t kTokenTile = 16;
// Query heads that may share a KV head where a long context is split; larger groups are not split.
inline constexpr size_t kMaxSplitGroup = 64;

struct Executor::ExpertState : ExpertScratch {
  void Reserve(const ModelSpec& s, size_t n_tokens, ActForms in_forms, ActForms mid_forms) {
    const size_t slots = n_tokens * s.n_experts_used;
    probs.resize(n_tokens * s.n_experts);
    routes.resize(slots);
    in.Reserve(slots, s.dim, in_forms);
    mid.Reserve(slots, s.expert_ff, mid_forms);
    out.Reserve(slots * s.dim);
  }
};

}  // namespace smallmind
