// `profile`: the representative workload that PGO trains on. Prompts, seeds and shapes differ from
// `bench`'s.

#include <algorithm>
#include <cstdio>
#include <memory>

#include "engine/cli/command.h"
#include "engine/cli/texts.h"

namespace smallmind {
namespace {

struct ProfileFlags {
  ModelOptions model;
  size_t n_prompt = 96;
  size_t n_gen = 48;
};

// Sampled and greedy generation, a prompt in one batch and in small ones, and a second session:
// what users run, in about their proportions (decode steps outnumber prompt batches).
int RunProfile(const ProfileFlags& o) {
  o.model.ApplyTarget();
  const Engine engine = Engine::Open(o.model.path, o.model.Opening(o.model.context));
  PrintWarning(engine.tokenizer());
  o.model.PrintContextWarning(engine.model().spec);
  SessionOptions options = o.model.Session();
  const std::string text(TrainingText().substr(0, 200));
  if (options.context == 0) {
    const size_t text_tokens = engine.tokenizer().Encode(text, {}).size();
    options.context = std::max(o.n_prompt, text_tokens + o.n_gen);
  }
  Session session(engine, options);
  const std::vector<TokenId> prompt = PromptTokens(engine.tokenizer(), TrainingText(), o.n_prompt);
  size_t tokens = 0;
  for (size_t split : {o.n_prompt, size_t{17}, size_t{5}}) {
    session.Reset();
    for (size_t at = 0; at < prompt.size(); at += split) {
      const size_t n = std::min(split, prompt.size() - at);
      session.Prefill(std::span(prompt).subspan(at, n));
    }
    tokens += prompt.size();
  }
  GenerateOptions generate;
  generate.max_tokens = o.n_gen;
  generate.ignore_eos = true;
  for (const uint64_t seed : {uint64_t{0x5eed}, uint64_t{77}}) {
    session.Reset();
    generate.sampler.temperature = seed == 77 ? 0.0f : 0.8f;
    generate.sampler.seed = seed;
    tokens += session.Generate(text, generate, [](std::string_view) { return true; }).tokens.size();
  }
  std::fprintf(stderr, "profile: %zu tokens on %zu threads\n", tokens, session.threads());
  return 0;
}

}  // namespace

void AddProfile(Program& program) {
  program.Add("profile", "Run the PGO training workload", [](Command& c) {
    auto o = std::make_shared<ProfileFlags>();
    o->model.Declare(&c);
    c.Option("--n-prompt", &o->n_prompt, "Prompt tokens").Range(1, 4096);
    c.Option("--n-gen", &o->n_gen, "Tokens to generate").Range(1, 4096);
    c.Runs([o] { return RunProfile(*o); });
  });
}

}  // namespace smallmind
