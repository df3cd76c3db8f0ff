// `perplexity`: mean negative log likelihood of a text, with its standard error (score.h).

#include <cstdio>
#include <memory>

#include "engine/base/error.h"
#include "engine/base/json_writer.h"
#include "engine/cli/command.h"
#include "engine/cli/read_file.h"
#include "engine/cli/score.h"

namespace smallmind {
namespace {

struct PerplexityFlags {
  ModelOptions model;
  std::string file;
  bool json = false;
};

int RunPerplexity(const PerplexityFlags& o) {
  o.model.ApplyTarget();
  const Engine engine = Engine::Open(o.model.path, o.model.Opening(o.model.context));
  PrintWarning(engine.tokenizer());
  o.model.PrintContextWarning(engine.model().spec);
  Session session(engine, o.model.Session());
  const std::string text = ReadText(o.file);
  const Score score = [&] {
    try {
      return ScoreText(engine, session, text);
    } catch (const InputError& e) {
      throw InputError(o.file + ": " + e.what());
    }
  }();
  if (o.json) {
    std::printf("%s\n", JsonLine()
                            .Add("tokens", score.tokens)
                            .Add("nll", score.nll)
                            .Add("nll_se", score.nll_se)
                            .Add("perplexity", score.perplexity())
                            .Add("perplexity_se", score.perplexity_se())
                            .str()
                            .c_str());
  } else {
    std::printf("tokens %zu\nnll %.6f +- %.6f\nperplexity %.6f +- %.6f\n", score.tokens, score.nll,
                score.nll_se, score.perplexity(), score.perplexity_se());
  }
  return 0;
}

}  // namespace

void AddPerplexity(Program& program) {
  program.Add("perplexity", "Mean negative log likelihood of a text", [](Command& c) {
    auto o = std::make_shared<PerplexityFlags>();
    o->model.kv = "f32";
    o->model.Declare(&c);
    c.Option("-f,--file", &o->file, "Text").Required();
    c.Flag("--json", &o->json, "One JSON object instead of text");
    c.Runs([o] { return RunPerplexity(*o); });
  });
}

}  // namespace smallmind
