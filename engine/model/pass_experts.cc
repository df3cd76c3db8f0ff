// The mixture-of-experts feed-forward of pass.h: route, regroup tokens by expert, run each expert
// once on all of its tokens, sum by rank. Six barriers; the golden mixtral model tests it.

#include <algorithm>
#include <cstring>

#include "engine/kernels/ops.h"
#include "engine/model/executor_state.h"
#include "engine/model/pass.h"

namespace smallmind {

void Pass::ExpertFeedForward(const LayerWeights& layer) {
  Executor::ExpertState& x = *e_.experts_;
  const size_t used = s_.n_experts_used;
  // Routing is token-wise but shared: its result decides everybody's work.
  w_.For(n_, 1, [&](size_t t, size_t) {
    float* probs = x.probs.data() + t * s_.n_experts;
    MatMulRows(layer.router, 0, s_.n_experts, e_.normed_, RowOf(t), 1, probs, s_.n_experts);
    SelectExperts({probs, s_.n_experts}, {x.routes.data() + t * used, used});
  });
  w_.Barrier();
  if (w_.index() == 0) x.plan.Build({x.routes.data(), n_ * used}, used, s_.n_experts);
  w_.Barrier();
  w_.For(n_ * used, 4, [&](size_t begin, size_t end) {
    for (size_t slot = begin; slot < end; ++slot) {
      std::memcpy(x.in.Row(slot), e_.normed_.Row(RowOf(x.plan.token_of_slot[slot])),
                  s_.dim * sizeof(float));
      if (e_.quantised_.ffn_in) x.in.Quantise(slot, 0, s_.dim);
    }
  });
  w_.Barrier();
  const size_t unit = FfnChunk(FfnInputOf(layer));
  const size_t up_chunks = (s_.expert_ff + unit - 1) / unit;
  w_.For(x.plan.groups.size() * up_chunks, 1, [&](size_t task, size_t) {
    const ExpertPlan::Group& g = x.plan.groups[task / up_chunks];
    const size_t begin = task % up_chunks * unit;
    const size_t end = std::min(begin + unit, s_.expert_ff);
    ActivatedRows({layer.gate_exps[g.expert], layer.up_exps[g.expert]},
                  {&x.in, g.begin, g.end - g.begin, &x.mid, g.begin}, begin, end,
                  layer.down_exps[g.expert], nullptr);
  });
  w_.Barrier();
  clock_.Mark(Stage::kFfnUp);
  const size_t down_unit = ChunkRows(layer.down_exps[0].weight, s_.dim, n_, w_.count(), 1);
  const size_t down_chunks = (s_.dim + down_unit - 1) / down_unit;
  w_.For(x.plan.groups.size() * down_chunks, 1, [&](size_t task, size_t) {
    const ExpertPlan::Group& g = x.plan.groups[task / down_chunks];
    const size_t begin = task % down_chunks * down_unit;
    const Linear down = layer.down_exps[g.expert];
    MatMulRows(down, begin, std::min(begin + down_unit, s_.dim), x.mid, g.begin, g.end - g.begin,
               x.out.data() + g.begin * s_.dim + begin, s_.dim);
  });
  w_.Barrier();
  // Sum by rank: the order is the token's own.
  w_.For(n_, 1, [&](size_t t, size_t) {
    float* sum = e_.residual_.data() + t * s_.dim;
    std::fill_n(sum, s_.dim, 0.0f);
    for (size_t k = 0; k < used; ++k) {
      ScaledAddInPlace(sum, x.out.data() + x.plan.slot_of_choice[t * used + k] * s_.dim,
                       x.routes[t * used + k].weight, s_.dim);
    }
  });
  w_.Barrier();
  clock_.Mark(Stage::kFfnDown);
}

}  // namespace smallmind
