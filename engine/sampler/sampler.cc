// Nothing sorts the vocabulary: the highest is found by a kernel, top-k scans it once with a heap
// of k, top-p selects the likeliest 64, 128, … until their probability suffices, min-p is a
// threshold. Sums run over the candidates in their one order (by likelihood once selected, by id
// before). Tested by sampler_test.cc: hand-computed cases, a plain reference chain, and the
// distribution of draws.
#include "engine/sampler/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "engine/base/error.h"
#include "engine/kernels/ops.h"
#include "engine/sampler/portable_math.h"

namespace smallmind {
namespace {

// Logits are looked at a block at a time: "is any above the bar" is a branch-free loop of fixed
// length, which compilers turn into vector code, and once a few hundred logits are seen the answer
// is almost always no.
constexpr size_t kBlock = 64;

bool AnyAbove(const float* block, float bar) {
  int any = 0;
  for (size_t i = 0; i < kBlock; ++i) any |= block[i] > bar;  // NaN is above nothing
  return any != 0;
}

// Calls visit(i) for, in ascending order, at least every i whose logit is above bar at that time.
template <typename Visit>
void VisitAbove(std::span<const float> logits, const float& bar, const Visit& visit) {
  for (size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const size_t end = std::min(begin + kBlock, logits.size());
    if (end - begin == kBlock && !AnyAbove(logits.data() + begin, bar)) continue;
    for (size_t i = begin; i < end; ++i) {
      if (logits[i] > bar) visit(i);
    }
  }
}

void Require(bool good, const char* name, double found, const char* allowed) {
  if (!good) {
    throw UsageError(std::string(name) + " is " + std::to_string(found) + "; allowed is " +
                     allowed);
  }
}

[[noreturn]] void ThrowNoToken(size_t n_logits) {
  throw InputError("none of the " + std::to_string(n_logits) +
                   " logits is a number above -infinity: the model's weights are damaged");
}

}  // namespace

int32_t GreedyToken(std::span<const float> logits) {
  const size_t best = ArgMax(logits.data(), logits.size());
  if (best == logits.size()) ThrowNoToken(logits.size());
  return static_cast<int32_t>(best);
}

Sampler::Sampler(SamplerOptions options) : options_(std::move(options)), rng_(options_.seed) {
  const SamplerOptions& o = options_;
  // Written so that NaN fails.
  Require(o.temperature >= 0 && std::isfinite(o.temperature), "temperature", o.temperature, ">= 0");
  Require(o.top_k >= 0, "top-k", o.top_k, ">= 0 (0: all)");
  Require(o.typical_p > 0 && o.typical_p <= 1, "typical-p", o.typical_p, "(0, 1]");
  Require(o.top_p >= 0 && o.top_p <= 1, "top-p", o.top_p, "[0, 1]");
  Require(o.min_p >= 0 && o.min_p <= 1, "min-p", o.min_p, "[0, 1]");
  Require(o.repeat_penalty > 0 && std::isfinite(o.repeat_penalty), "repeat penalty",
          o.repeat_penalty, "> 0");
  Require(std::isfinite(o.frequency_penalty), "frequency penalty", o.frequency_penalty, "a number");
  Require(std::isfinite(o.presence_penalty), "presence penalty", o.presence_penalty, "a number");
  Require(o.penalty_last_n >= -1, "penalty window", o.penalty_last_n, ">= -1 (-1: all)");
  for (const auto& [id, bias] : o.logit_bias) {
    Require(id >= 0, "logit bias token", id, ">= 0");
    Require(!std::isnan(bias), "logit bias", bias, "a number");
  }
}

int32_t Sampler::Sample(std::span<float> logits, std::span<const int32_t> history) {
  AddBias(logits);
  Penalise(logits, history);
  if (options_.temperature == 0) return GreedyToken(logits);
  const auto k = static_cast<size_t>(options_.top_k);
  if (k > 0 && k < logits.size()) {
    KeepTopK(logits, k);
  } else {
    Collect(logits);
  }
  if (candidates_.empty()) ThrowNoToken(logits.size());
  highest_ = std::min_element(candidates_.begin(), candidates_.end())->logit;
  if (options_.typical_p < 1) KeepTypical();
  if (options_.top_p < 1) KeepTopP();
  if (options_.min_p > 0) KeepMinP();
  return Draw();
}

void Sampler::AddBias(std::span<float> logits) const {
  for (const auto& [id, bias] : options_.logit_bias) {
    if (static_cast<size_t>(id) >= logits.size()) {
      throw UsageError("logit bias for token " + std::to_string(id) + "; the vocabulary has " +
                       std::to_string(logits.size()));
    }
    logits[static_cast<size_t>(id)] += bias;
  }
}

void Sampler::Penalise(std::span<float> logits, std::span<const int32_t> history) {
  const SamplerOptions& o = options_;
  if (o.repeat_penalty == 1 && o.frequency_penalty == 0 && o.presence_penalty == 0) return;
  if (o.penalty_last_n >= 0 && static_cast<size_t>(o.penalty_last_n) < history.size()) {
    history = history.last(static_cast<size_t>(o.penalty_last_n));
  }
  window_.assign(history.begin(), history.end());
  std::sort(window_.begin(), window_.end());
  for (size_t begin = 0; begin < window_.size();) {
    size_t end = begin;
    while (end < window_.size() && window_[end] == window_[begin]) ++end;
    const auto count = static_cast<float>(end - begin);
    const int32_t id = window_[begin];
    begin = end;
    if (id < 0 || static_cast<size_t>(id) >= logits.size()) continue;
    float& logit = logits[static_cast<size_t>(id)];
    // Always towards less likely: dividing a negative logit would raise it.
    logit = logit > 0 ? logit / o.repeat_penalty : logit * o.repeat_penalty;
    logit -= count * o.frequency_penalty;
    logit -= o.presence_penalty;
  }
}

void Sampler::Collect(std::span<const float> logits) {
  constexpr float kMost = std::numeric_limits<float>::max();
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); ++i) {
    // +infinity becomes the highest finite value: differences stay numbers.
    if (logits[i] >= -kMost) {
      candidates_.push_back({std::min(logits[i], kMost), static_cast<int32_t>(i)});
    }
  }
}

void Sampler::KeepTopK(std::span<const float> logits, size_t k) {
  constexpr size_t kHeapPays = 512;
  if (k > kHeapPays) {
    Collect(logits);
    if (k < candidates_.size()) {
      const auto cut = candidates_.begin() + static_cast<std::ptrdiff_t>(k);
      std::nth_element(candidates_.begin(), cut, candidates_.end());
      candidates_.erase(cut, candidates_.end());
    }
    std::sort(candidates_.begin(), candidates_.end());
    return;
  }
  constexpr float kMost = std::numeric_limits<float>::max();
  candidates_.clear();
  // Once k are known, only what beats the worst of them (the heap's front) is looked at. Ids
  // ascend, so an equal logit never does.
  float bar = -std::numeric_limits<float>::infinity();
  VisitAbove(logits, bar, [&](size_t i) {
    const Candidate candidate = {std::min(logits[i], kMost), static_cast<int32_t>(i)};
    if (candidates_.size() == k) {
      if (!(candidate < candidates_.front())) return;
      std::pop_heap(candidates_.begin(), candidates_.end());
      candidates_.back() = candidate;
    } else {
      candidates_.push_back(candidate);
    }
    std::push_heap(candidates_.begin(), candidates_.end());
    if (candidates_.size() == k) bar = candidates_.front().logit;
  });
  std::sort(candidates_.begin(), candidates_.end());
}

double Sampler::Weight(const Candidate& candidate) const {
  return PortableExp(static_cast<double>(candidate.logit) - static_cast<double>(highest_));
}

// Locally typical sampling (Meister et al. 2022): a token is typical where its surprise −ln p is
// close to the entropy, the expected surprise.
void Sampler::KeepTypical() {
  double total = 0, weighted = 0;
  for (const Candidate& c : candidates_) {
    const double weight = Weight(c);
    total += weight;
    weighted += weight * (static_cast<double>(highest_) - static_cast<double>(c.logit));
  }
  const double log_total = PortableLog(total);
  const double entropy = weighted / total + log_total;
  struct Typical {
    double distance;
    Candidate candidate;
  };
  std::vector<Typical> order;
  order.reserve(candidates_.size());
  for (const Candidate& c : candidates_) {
    const double surprise =
        static_cast<double>(highest_) - static_cast<double>(c.logit) + log_total;
    order.push_back({std::abs(surprise - entropy), c});
  }
  std::sort(order.begin(), order.end(), [](const Typical& a, const Typical& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.candidate < b.candidate;
  });
  candidates_.clear();
  double kept = 0;
  for (const Typical& typical : order) {
    candidates_.push_back(typical.candidate);
    kept += Weight(typical.candidate);
    if (kept >= static_cast<double>(options_.typical_p) * total) break;
  }
  std::sort(candidates_.begin(), candidates_.end());
  highest_ = candidates_.front().logit;
}

void Sampler::KeepTopP() {
  double total = 0;
  for (const Candidate& c : candidates_) total += Weight(c);
  const double enough = static_cast<double>(options_.top_p) * total;
  double kept = 0;
  size_t sorted = 0, step = 64;
  while (sorted < candidates_.size()) {
    const size_t end = std::min(sorted + step, candidates_.size());
    const auto at = [this](size_t i) {
      return candidates_.begin() + static_cast<std::ptrdiff_t>(i);
    };
    if (end < candidates_.size()) std::nth_element(at(sorted), at(end), candidates_.end());
    std::sort(at(sorted), at(end));
    for (; sorted < end; ++sorted) {
      kept += Weight(candidates_[sorted]);
      if (kept >= enough) {
        candidates_.resize(sorted + 1);
        return;
      }
    }
    step *= 2;
  }
}

void Sampler::KeepMinP() {
  // p >= min_p · p_max as a difference of logits: one logarithm instead of an exponential a
  // candidate.
  const double least = PortableLog(static_cast<double>(options_.min_p));
  std::erase_if(candidates_, [&](const Candidate& c) {
    return static_cast<double>(c.logit) - static_cast<double>(highest_) < least;
  });
}

int32_t Sampler::Draw() {
  const double inverse = 1.0 / static_cast<double>(options_.temperature);
  weights_.clear();
  double total = 0;
  for (const Candidate& c : candidates_) {
    const double difference = static_cast<double>(c.logit) - static_cast<double>(highest_);
    weights_.push_back(PortableExp(difference * inverse));
    total += weights_.back();
  }
  const double target = rng_.UniformDouble() * total;
  double sum = 0;
  for (size_t i = 0; i < weights_.size(); ++i) {
    sum += weights_[i];
    if (target < sum) return candidates_[i].id;
  }
  // target < total, and the same additions gave total: not reached.
  return candidates_.back().id;
}

}  // namespace smallmind
