// A batch whose tokens belong to different caches; the pass knows no difference. Tested in
// sequence_group_test.cc: every sequence equals the same one alone, to the bit.
#include "engine/sequence_group.h"

#include <string>

#include "engine/base/error.h"

namespace smallmind {

SequenceGroup::SequenceGroup(const Engine& engine, const SessionOptions& options, size_t n)
    : options_(Resolved(options, engine.model().spec)),
      executor_(engine.model(), options_.threads) {
  caches_.reserve(n);
  for (size_t i = 0; i < n; ++i) {
    caches_.emplace_back(Executor::CacheShape(engine.model().spec, options_.kv_type,
                                              options_.context, options_.batch));
  }
}

void SequenceGroup::Reset() {
  for (KvCache& cache : caches_) cache.set_length(0);
}

std::span<const float> SequenceGroup::Prefill(size_t sequence, std::span<const TokenId> tokens) {
  KvCache& cache = caches_[sequence];
  CheckFits(tokens.size(), cache.length(), options_.context);
  std::span<const float> last;
  executor_.Append(cache, tokens, options_.batch, false,
                   [&](std::span<const float> logits) { last = logits; });
  return last;
}

std::span<const float> SequenceGroup::Decode(std::span<const TokenId> tokens) {
  if (tokens.size() != size()) {
    throw InputError(std::to_string(tokens.size()) + " tokens for " + std::to_string(size()) +
                     " sequences");
  }
  batch_.clear();
  for (size_t i = 0; i < size(); ++i) {
    CheckFits(1, caches_[i].length(), options_.context);
    batch_.push_back({tokens[i], &caches_[i], caches_[i].length(), true});
  }
  const std::span<const float> logits = executor_.Forward(batch_);
  for (KvCache& cache : caches_) cache.set_length(cache.length() + 1);
  return logits;
}

}  // namespace smallmind
