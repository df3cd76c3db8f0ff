// `perplexity`: mean negative log likelihood of a text, with its standard error.
//
// The text is cut into windows of the context's size (BOS first where the model wants one); every
// token after a window's first is scored. A text that fits one window is scored whole.
// Log-likelihoods are in double.

#include <cmath>
#include <cstdio>
#include <memory>

#include "engine/base/error.h"
#include "engine/base/json_writer.h"
#include "engine/cli/command.h"
#include "engine/cli/read_file.h"

namespace smallmind {
namespace {

struct Options {
  ModelOptions model;
  std::string file;
  bool json = false;
};

double NegativeLogLikelihood(std::span<const float> logits, TokenId token) {
  double max = -INFINITY;
  for (float x : logits) max = std::max(max, double{x});
  double sum = 0;
  for (float x : logits) sum += std::exp(double{x} - max);
  return std::log(sum) + max - double{logits[static_cast<size_t>(token)]};
}

int Run(const Options& o) {
  o.model.ApplyTarget();
  const Engine engine = Engine::Open(o.model.path, {.context = o.model.context});
  const std::string text = ReadFileBytes(o.file);
  const Tokenizer& tokenizer = engine.tokenizer();
  const std::vector<TokenId> tokens = tokenizer.Encode(text, {.add_special = false});
  SessionOptions options = o.model.Session();
  Session session(engine, options);
  const bool bos = tokenizer.adds_bos() && tokenizer.bos() >= 0;
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
  if (nll.size() < 2) throw InputError(o.file + ": too short to score, 3 tokens are needed");
  double mean = 0, square = 0;
  for (double x : nll) mean += x / static_cast<double>(nll.size());
  for (double x : nll) square += (x - mean) * (x - mean);
  const double n = static_cast<double>(nll.size());
  const double error = std::sqrt(square / (n - 1) / n);
  if (o.json) {
    std::printf("%s\n", JsonLine()
                            .Add("tokens", nll.size())
                            .Add("nll", mean)
                            .Add("nll_se", error)
                            .Add("perplexity", std::exp(mean))
                            .Add("perplexity_se", std::exp(mean) * error)
                            .str()
                            .c_str());
  } else {
    std::printf("tokens %zu\nnll %.6f +- %.6f\nperplexity %.6f +- %.6f\n", nll.size(), mean, error,
                std::exp(mean), std::exp(mean) * error);
  }
  return 0;
}

}  // namespace

void AddPerplexity(Program& program) {
  auto o = std::make_shared<Options>();
  o->model.kv = "f32";
  Command c = program.Add("perplexity", "Mean negative log likelihood of a text");
  o->model.Declare(&c);
  c.Option("-f,--file", &o->file, "Text").Required();
  c.Flag("--json", &o->json, "One JSON object instead of text");
  c.Runs([o] { return Run(*o); });
}

}  // namespace smallmind
