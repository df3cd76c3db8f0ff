// `generate`: streams text. With --output the generated text alone also goes to a file, for diffing.

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
  Session session(engine, o.model.Session());
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::string text;
  const GenerateResult result =
      session.Generate(o.prompt, o.generate, [&](std::string_view piece) {
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
    std::fprintf(stderr, "smallmind: stopped at the context's end, %zu positions; --ctx sets more\n",
                 session.context());
  }
  return 0;
}

}  // namespace

void AddGenerate(CLI::App& app, Action* action) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("generate", "Continue a prompt");
  o->model.Declare(c);
  SamplerOptions& s = o->generate.sampler;
  c->add_option("-p,--prompt", o->prompt, "Prompt; empty: from BOS alone");
  c->add_option("-n,--n-predict", o->generate.max_tokens, "Tokens at most")->capture_default_str();
  c->add_option("--temp", s.temperature, "Temperature; 0 is greedy")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  c->add_option("--top-k", s.top_k, "Keep the k likeliest; 0: all")->capture_default_str();
  c->add_option("--top-p", s.top_p, "Keep the likeliest of this total mass")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  c->add_option("--min-p", s.min_p, "Drop what is below this share of the likeliest")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  c->add_option("--repeat-penalty", s.repeat_penalty, "Divides logits of recent tokens; 1: off")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  c->add_option("--seed", s.seed, "Seed of the sampler")->capture_default_str();
  c->add_option("--stop", o->generate.stop, "Text that ends generation; may be given again");
  c->add_option("-o,--output", o->output, "File that gets the generated text alone");
  c->add_flag("--parse-special", o->generate.parse_special, "Special tokens in the prompt's text");
  c->add_flag("--ignore-eos", o->generate.ignore_eos, "Go on after an end-of-text token");
  c->add_flag("-q,--quiet", o->quiet, "Do not print the text");
  c->callback([o, action] { *action = [o] { return Run(*o); }; });
}

}  // namespace smallmind
