// From logits to one token: a chain of filters and a seeded draw.
//
// Order, the field's usual one: logit bias -> repetition, frequency and presence penalties -> top-k
// -> typical-p -> top-p
// -> min-p -> temperature -> draw. Each filter works on the probabilities (at temperature 1) of the
// candidates the one before it left, renormalised; each leaves at least one. Temperature 0 takes
// the highest logit after the penalties, the lowest id among equals, and draws nothing. The same
// logits, options, history and seed give the same token on every build and platform: double
// arithmetic in a fixed order, own exp and log, own generator. NaN logits are never chosen. Errors:
// UsageError for options out of range, InputError where no logit is a number above −infinity.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/base/rng.h"

namespace smallmind {

struct SamplerOptions {
  float temperature = 0.8f;     // 0: greedy
  int32_t top_k = 40;           // keep the k most likely; 0: all
  float typical_p = 1.0f;       // keep the most typical tokens of this joint probability; 1: all
  float top_p = 0.95f;          // keep the likeliest tokens of this joint probability; 1: all
  float min_p = 0.05f;          // drop what is less likely than min_p times the likeliest; 0: none
  float repeat_penalty = 1.0f;  // of tokens in the window: positive logits / p, others · p; 1: none
  float frequency_penalty = 0.0f;  // subtracted once per occurrence in the window
  float presence_penalty = 0.0f;   // subtracted where the token occurs in the window
  int32_t penalty_last_n = 64;     // window: the last n tokens; 0: none, −1: the whole history
  std::vector<std::pair<int32_t, float>> logit_bias;  // (token, added to its logit; −infinity bans)
  uint64_t seed = 0;
};

// The token of the highest logit, as at temperature 0. Throws as Sample does.
int32_t GreedyToken(std::span<const float> logits);

class Sampler {
 public:
  explicit Sampler(SamplerOptions options);

  // `logits`: one per token of the vocabulary, changed in place (bias and penalties). `history`:
  // all tokens so far, oldest first; ids outside the vocabulary are ignored.
  int32_t Sample(std::span<float> logits, std::span<const int32_t> history);

  const SamplerOptions& options() const { return options_; }

 private:
  struct Candidate {
    float logit;
    int32_t id;
    // Likelier first; a strict total order, so selection gives the same set whatever the algorithm.
    bool operator<(const Candidate& other) const {
      return logit != other.logit ? logit > other.logit : id < other.id;
    }
  };

  void AddBias(std::span<float> logits) const;
  void Penalise(std::span<float> logits, std::span<const int32_t> history);
  void Collect(std::span<const float> logits);
  void KeepTopK(std::span<const float> logits, size_t k);
  void KeepTypical();
  void KeepTopP();
  void KeepMinP();
  int32_t Draw();
  // Weight of a candidate relative to the likeliest one.
  double Weight(const Candidate& candidate) const;

  SamplerOptions options_;
  Rng rng_;
  std::vector<Candidate> candidates_;
  float highest_ = 0;            // logit of the likeliest candidate
  std::vector<double> weights_;  // scratch of Draw
  std::vector<int32_t> window_;  // scratch of Penalise
};

}  // namespace smallmind
