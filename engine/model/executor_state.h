// Parts of Executor's scratch that only its walk knows, and constants they share.
#pragma once

#include <vector>

#include "engine/kernels/attention.h"
#include "engine/model/executor.h"
#include "engine/model/experts.h"

namespace smallmind {

// Tokens whose queries share one attention call: keys are loaded once for all of them.
inline constexpr size_t kTokenTile = 16;
// Query heads that may share a KV head where a long context is split; larger groups are not split.
inline constexpr size_t kMaxSplitGroup = 64;

// What a worker keeps from pass to pass.
struct Executor::WorkerState {
  FetchStream fetch;                    // the weights it is going to read
  FetchStream stolen;                   // those of a chunk taken over from another worker
  std::vector<AttentionQuery> queries;  // [kTokenTile · heads of a group]
  std::vector<float> probs;             // [n_experts], of the token whose experts it chooses
  ExpertPlan experts;
};

// Of mixture-of-experts models. Rows are tokens, or workers where a batch is one token.
struct Executor::ExpertState {
  std::vector<float> scores;  // [tokens][n_experts], the router's
  std::vector<Route> routes;  // [rows][n_experts_used]
  ActBuffer in;               // [slots][dim] copies of the normed rows
  ActBuffer mid;              // [slots][expert_ff]
  AlignedBuffer<float> out;   // [slots][dim]

  void Reserve(const ModelSpec& s, size_t n_tokens, size_t rows, ActForms in_forms,
               ActForms mid_forms) {
    const size_t slots = n_tokens * s.n_experts_used;
    scores.resize(n_tokens * s.n_experts);
    routes.resize(rows * s.n_experts_used);
    in.Reserve(slots, s.dim, in_forms, n_tokens > 1);
    mid.Reserve(slots, s.expert_ff, mid_forms, n_tokens > 1);
    out.Reserve(slots * s.dim);
  }
};

}  // namespace smallmind
