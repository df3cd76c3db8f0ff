// Routing of mixture-of-experts feed-forward layers.
//
// Per token: router logits → softmax over all experts → the n_used largest, renormalised to sum 1
// (Mixtral, Qwen3-MoE). Tokens are regrouped by expert so that an expert's weights are read once
// per batch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace smallmind {

struct Route {
  uint32_t expert = 0;
  float weight = 0;
};

// The n_used experts of one token, largest weight first, ties to the lower index. probs is
// overwritten with softmax(probs). routes has n_used entries.
void SelectExperts(std::span<float> probs, std::span<Route> routes);

// Slots of a batch, ordered by expert: slot s is (token, rank); an expert's slots are consecutive.
struct ExpertPlan {
  struct Group {
    uint32_t expert;
    size_t begin, end;  // slots
  };
  std::vector<Group> groups;           // experts that have tokens
  std::vector<size_t> token_of_slot;   // [tokens·n_used]
  std::vector<size_t> slot_of_choice;  // [tokens·n_used]: slot of (token, rank)

  // Memory for `slots` choices.
  void Reserve(size_t slots, size_t n_experts);
  // routes: [tokens][n_used].
  void Build(std::span<const Route> routes, size_t n_used, size_t n_experts);

 private:
  std::vector<size_t> next_;  // [n_experts + 1]: the slot of an expert's next token
};

// The same rows of several matrices as one loop: `unit` rows of each expert, then the next rows.
struct ExpertRuns {
  size_t groups, rows, unit;

  struct Run {
    size_t group, begin, end;  // rows
  };
  size_t count() const { return groups * ((rows + unit - 1) / unit); }
  Run At(size_t i) const {
    const size_t begin = i / groups * unit;
    return {i % groups, begin, std::min(begin + unit, rows)};
  }
  // Of all runs before run i.
  size_t RowsBefore(size_t i) const {
    const Run run = At(i);
    return groups * std::min(run.begin, rows) + run.group * (run.end - run.begin);
  }
};

}  // namespace smallmind
