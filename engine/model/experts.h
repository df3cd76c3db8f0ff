// Scratch and routing of mixture-of-experts feed-forward layers.
//
// Per token: router logits → softmax over all experts → the n_used largest, renormalised to sum 1
// (Mixtral, Qwen3-MoE). Tokens are regrouped by expert so that an expert's weights are read once
// per batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/model/act_buffer.h"
#include "engine/runtime/aligned_buffer.h"

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

  // routes: [tokens][n_used].
  void Build(std::span<const Route> routes, size_t n_used, size_t n_experts);
};

struct ExpertScratch {
  std::vector<float> probs;   // [tokens][n_experts]
  std::vector<Route> routes;  // [tokens][n_used]
  ExpertPlan plan;
  ActBuffer in;              // [slots][dim] copies of the normed rows
  ActBuffer mid;             // [slots][expert_ff]
  AlignedBuffer<float> out;  // [slots][dim]
};

}  // namespace smallmind
