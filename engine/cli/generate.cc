// `generate`: streams text. With --output the generated text alone also goes to a file, for
// diffing.

#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>

#include "engine/base/error.h"
#include "engine/cli/command.h"

namespace smallmind {
namespace {

// Set by Ctrl-C; generation then ends as if cancelled, with the text so far.
volatile std::sig_atomic_t interrupted = 0;

struct Options {
  ModelOptions model;
  std::string prompt;
  std::string output;
  GenerateOptions generate;
  bool quiet = false;
};

int Run(const Options& o) {
  o.model.ApplyTarget();
  const Engine engine = Engine::Open(o.model.path, {.context = o.model.context});
  PrintWarning(engine.tokenizer());
  Session session(engine, o.model.Session());
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::string text;
  const GenerateResult result = session.Generate(o.prompt, o.generate, [&](std::string_view piece) {
    text += piece;
    if (!o.quiet) {
      std::fwrite(piece.data(), 1, piece.size(), stdout);
      std::fflush(stdout);
    }
    return interrupted == 0;
  });
  if (!o.quiet) std::fputc('\n', stdout);
  if (!o.output.empty()) {
    std::ofstream file(o.output, std::ios::binary);
    file << text;
    file.close();
    if (!file) throw InputError("cannot write " + o.output);
  }
  if (result.reason == StopReason::kContextFull) {
    std::fprintf(stderr,
                 "smallmind: stopped at the context's end, %zu positions; --ctx sets more\n",
                 session.context());
  }
  return 0;
}

}  // namespace

void AddGenerate(Program& program) {
  auto o = std::make_shared<Options>();
  Command c = program.Add("generate", "Continue a prompt");
  o->model.Declare(&c);
  SamplerOptions& s = o->generate.sampler;
  c.Option("-p,--prompt", &o->prompt, "Prompt; empty: from BOS alone");
  c.Option("-n,--n-predict", &o->generate.max_tokens, "Tokens at most").ShowDefault();
  c.Option("--temp", &s.temperature, "Temperature; 0 is greedy")
      .RealRange(0.0, 100.0)
      .ShowDefault();
  c.Option("--top-k", &s.top_k, "Keep the k likeliest; 0: all").ShowDefault();
  c.Option("--top-p", &s.top_p, "Keep the likeliest of this total mass")
      .RealRange(0.0, 1.0)
      .ShowDefault();
  c.Option("--min-p", &s.min_p, "Drop what is below this share of the likeliest")
      .RealRange(0.0, 1.0)
      .ShowDefault();
  c.Option("--repeat-penalty", &s.repeat_penalty, "Divides logits of recent tokens; 1: off")
      .Positive()
      .ShowDefault();
  c.Option("--seed", &s.seed, "Seed of the sampler").ShowDefault();
  c.Option("--stop", &o->generate.stop, "Text that ends generation; may be given again");
  c.Option("-o,--output", &o->output, "File that gets the generated text alone");
  c.Flag("--parse-special", &o->generate.parse_special, "Special tokens in the prompt's text");
  c.Flag("--ignore-eos", &o->generate.ignore_eos, "Go on after an end-of-text token");
  c.Flag("-q,--quiet", &o->quiet, "Do not print the text");
  c.Runs([o] { return Run(*o); });
}

}  // namespace smallmind
