// Selection is scalar and sequential: a handful of experts a token. The order of the sum over
// experts is by rank, so it does not depend on which other tokens are in the batch. Tested in
// experts_test.cc and by the mixtral golden model.

#include "engine/model/experts.h"

#include <algorithm>

#include "engine/kernels/ops.h"

namespace smallmind {

void SelectExperts(std::span<float> probs, std::span<Route> routes) {
  Softmax(probs.data(), probs.size());
  float sum = 0;
  for (size_t k = 0; k < routes.size(); ++k) {
    size_t best = probs.size();  // none yet: distinct experts come out of NaN as well
    for (size_t e = 0; e < probs.size(); ++e) {
      const bool taken = std::any_of(routes.begin(), routes.begin() + static_cast<ptrdiff_t>(k),
                                     [&](const Route& r) { return r.expert == e; });
      if (!taken && (best == probs.size() || probs[e] > probs[best])) best = e;
    }
    routes[k] = {static_cast<uint32_t>(best), probs[best]};
    sum += probs[best];
  }
  for (Route& route : routes) route.weight /= sum;
}

void ExpertPlan::Reserve(size_t slots, size_t n_experts) {
  groups.reserve(std::min(slots, n_experts));
  token_of_slot.reserve(slots);
  slot_of_choice.reserve(slots);
  next_.reserve(n_experts + 1);
}

void ExpertPlan::Build(std::span<const Route> routes, size_t n_used, size_t n_experts) {
  next_.assign(n_experts + 1, 0);
  for (const Route& route : routes) ++next_[route.expert + 1];
  groups.clear();
  for (size_t e = 0; e < n_experts; ++e) {
    next_[e + 1] += next_[e];
    if (next_[e + 1] > next_[e]) {
      groups.push_back({static_cast<uint32_t>(e), next_[e], next_[e + 1]});
    }
  }
  token_of_slot.resize(routes.size());
  slot_of_choice.resize(routes.size());
  for (size_t choice = 0; choice < routes.size(); ++choice) {
    const size_t slot = next_[routes[choice].expert]++;
    token_of_slot[slot] = choice / n_used;
    slot_of_choice[choice] = slot;
  }
}

}  // namespace smallmind
