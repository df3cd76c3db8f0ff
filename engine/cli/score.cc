// Log-likelihoods in double from the engine's float logits. Tested in score_test.cc against a
// float64 forward pass.

#include "engine/cli/score.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/base/error.h"

namespace smallmind {
namespace {

double NegativeLogLikelihood(std::span<const float> logits, TokenId token) {
  double max = -INFINITY;
  for (float x : logits) max = std::max(max, double{x});
  double sum = 0;
  for (float x : logits) sum += std::exp(double{x} - max);
  const double nll = std::log(sum) + max - double{logits[static_cast<size_t>(token)]};
  if (!std::isfinite(nll)) {
    throw InputError("the likelihood of token " + std::to_string(token) +
                     " is not a finite number: the model's weights are damaged");
  }
  return nll;
}

}  // namespace

double Score::perplexity() const { return std::exp(nll); }
double Score::perplexity_se() const { return std::exp(nll) * nll_se; }

Score ScoreText(const Engine& engine, Session& session, std::string_view text) {
  const Tokenizer& tokenizer = engine.tokenizer();
  const std::vector<TokenId> tokens = tokenizer.Encode(text, {.add_special = false});
  const bool bos = tokenizer.adds_bos() && tokenizer.bos() >= 0;
  if (session.context() < 2) throw InputError("perplexity needs a context of at least 2");
  const size_t step = session.context() - (bos ? 1 : 0);
  std::vector<double> nll;
  for (size_t at = 0; at < tokens.size(); at += step) {
    std::vector<TokenId> window;
    if (bos) window.push_back(tokenizer.bos());
    window.insert(window.end(), tokens.begin() + static_cast<ptrdiff_t>(at),
                  tokens.begin() + static_cast<ptrdiff_t>(std::min(at + step, tokens.size())));
    if (window.size() < 2) break;
    session.Reset();
    size_t next = 1;
    session.PrefillAll(window, [&](std::span<const float> logits) {
      if (next < window.size()) nll.push_back(NegativeLogLikelihood(logits, window[next]));
      ++next;
    });
  }
  if (nll.size() < 2) throw InputError("the text is too short to score, 3 tokens are needed");
  Score score;
  score.tokens = nll.size();
  const double n = static_cast<double>(nll.size());
  double square = 0;
  for (double x : nll) score.nll += x / n;
  for (double x : nll) square += (x - score.nll) * (x - score.nll);
  score.nll_se = std::sqrt(square / (n - 1) / n);
  return score;
}

}  // namespace smallmind
