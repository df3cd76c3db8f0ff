// How well a model predicts a text: mean negative log likelihood a token and its standard error.
#pragma once

#include <cstddef>
#include <string_view>

#include "engine/session.h"

namespace smallmind {

struct Score {
  size_t tokens = 0;  // scored
  double nll = 0;     // mean, nats a token
  double nll_se = 0;  // standard error of the mean

  double perplexity() const;
  double perplexity_se() const;  // by the delta method
};

// The text is cut into windows of the session's context, BOS first where the model wants one; every
// token after a window's first is scored. InputError where fewer than two tokens can be scored or
// one's likelihood is not a finite number.
Score ScoreText(const Engine& engine, Session& session, std::string_view text);

}  // namespace smallmind
