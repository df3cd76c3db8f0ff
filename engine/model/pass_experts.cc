// The mixture-of-experts feed-forward of pass.h: route, run each chosen expert once on all of its
// tokens, sum by rank.
//
// Three barriers for a single token: after the router, after gate/up, after down; choosing costs a
// microsecond and is done by every worker for itself. A batch pays two more, to choose and to copy
// its tokens into the experts' slots. Which weights are read is known when the choice is: they are
// planned then, both halves at once. A chunk of the second half is the same rows of all experts, so
// that whoever computes them also sums them. Tested by the golden mixtral model and
// arch_shapes_test.cc.

#include <algorithm>
#include <cstring>

#include "engine/kernels/ops.h"
#include "engine/model/executor_state.h"
#include "engine/model/pass.h"
#include "engine/model/pass_tokenwise.h"

namespace smallmind {

Products Pass::RouterProducts(const LayerWeights& layer) const {
  const Product router{&layer.router, e_.experts_->scores.data(), s_.n_experts};
  return {{&router, 1}, n_, w_.count()};
}

void Pass::ChooseExperts() {
  Executor::ExpertState& x = *e_.experts_;
  ExpertPlan& plan = state_.experts;
  const size_t used = s_.n_experts_used;
  Tokenwise([&](size_t t) {
    std::copy_n(x.scores.data() + t * s_.n_experts, s_.n_experts, state_.probs.data());
    SelectExperts(state_.probs, {x.routes.data() + RowOf(t) * used, used});
  });
  Sync();
  plan.Build({x.routes.data() + RowOf(0) * used, n_ * used}, used, s_.n_experts);
  if (solo_) return;  // every slot is the one token
  w_.For(n_ * used, 4, [&](size_t begin, size_t end) {
    for (size_t slot = begin; slot < end; ++slot) {
      std::memcpy(x.in.Row(slot), e_.normed_.Row(plan.token_of_slot[slot]), s_.dim * sizeof(float));
      x.in.Quantise(slot, 0, s_.dim);
    }
  });
  Sync();
}

void Pass::PlanDownExperts(const LayerWeights& layer, size_t begin, size_t end,
                           FetchStream& fetch) const {
  for (const ExpertPlan::Group& g : state_.experts.groups) {
    fetch.Push(layer.down_exps[g.expert].weight.Bytes(begin, end));
  }
}

// Rows [begin, end) of all tokens' results. The sum over ranks is in the token's own order.
void Pass::DownExperts(const LayerWeights& layer, size_t begin, size_t end, FetchStream* fetch) {
  Executor::ExpertState& x = *e_.experts_;
  const ExpertPlan& plan = state_.experts;
  const size_t used = s_.n_experts_used;
  for (const ExpertPlan::Group& g : plan.groups) {
    MatMulRows(layer.down_exps[g.expert], begin, end, x.mid, g.begin, g.end - g.begin,
               x.out.data() + g.begin * s_.dim + begin, s_.dim, fetch);
  }
  for (size_t t = 0; t < n_; ++t) {
    float* sum = e_.residual_.data() + t * s_.dim + begin;
    std::fill_n(sum, end - begin, 0.0f);
    for (size_t k = 0; k < used; ++k) {
      ScaledAddInPlace(sum, x.out.data() + plan.slot_of_choice[t * used + k] * s_.dim + begin,
                       x.routes[RowOf(t) * used + k].weight, end - begin);
    }
  }
}

void Pass::ExpertFeedForward(size_t index) {
  const LayerWeights& layer = e_.model_.weights.layers[index];
  Begin(fetch_.end());  // what is planned next: the chosen experts
  Multiply(RouterProducts(layer), e_.normed_, RowOf(0));
  ChooseExperts();

  Executor::ExpertState& x = *e_.experts_;
  const std::vector<ExpertPlan::Group>& groups = state_.experts.groups;
  const FfnInput first = FfnInputOf(layer);
  const ExpertRuns runs{groups.size(), s_.expert_ff, FfnChunk(first)};
  const Worker::Share share = w_.ShareOf(runs.count(), 1);
  const auto input = [&](const ExpertRuns::Run& run) -> FfnInput {
    const size_t expert = groups[run.group].expert;
    return {layer.gate_exps[expert], layer.up_exps[expert]};
  };
  for (size_t i = share.begin; i < share.end; ++i) {
    const ExpertRuns::Run run = runs.At(i);
    for (const ByteRange& bytes : input(run).Bytes(run.begin, run.end)) fetch_.Push(bytes);
  }
  const uint64_t down = fetch_.end();
  const WeightView& first_down = layer.down_exps[0].weight;
  const size_t chunk = ChunkRows(first_down, s_.dim, n_, w_.count(), 1);
  const Worker::Share rows = w_.ShareOf(s_.dim, chunk);
  for (size_t begin = rows.begin; begin < rows.end; begin += chunk) {
    PlanDownExperts(layer, begin, std::min(begin + chunk, rows.end), fetch_);
  }
  Begin(down);
  w_.For(runs.count(), 1, [&](size_t i, size_t) {
    const ExpertRuns::Run run = runs.At(i);
    const ExpertPlan::Group& g = groups[run.group];
    const FfnInput in = input(run);
    FetchStream* fetch =
        Reading(i >= share.begin && i < share.end,
                start_ + (runs.RowsBefore(i) - runs.RowsBefore(share.begin)) * first.row_bytes(),
                in.Bytes(run.begin, run.end));
    const FfnTokens tokens{solo_ ? &e_.normed_ : &x.in, solo_ ? RowOf(0) : g.begin, g.end - g.begin,
                           &x.mid, g.begin};
    ActivatedRows(in, tokens, run.begin, run.end, layer.down_exps[g.expert], fetch);
  });
  w_.Barrier(&fetch_);
  clock_.Mark(Stage::kFfnUp);

  Begin(PlanAfterLayer(index));
  w_.For(s_.dim, chunk, [&](size_t begin, size_t end) {
    const bool own = begin >= rows.begin && end <= rows.end;
    FetchStream* fetch =
        Reading(own, start_ + (begin - rows.begin) * groups.size() * first_down.row_bytes, {});
    if (!own) PlanDownExperts(layer, begin, end, *fetch);
    DownExperts(layer, begin, end, fetch);
  });
  w_.Barrier(&fetch_);
  clock_.Mark(Stage::kFfnDown);
}

}  // namespace smallmind
