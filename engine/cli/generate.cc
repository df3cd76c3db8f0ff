// `generate`: streams text. With --output the generated text alone also goes to a file, for
// diffing; after an error it has the text so far.

#include <charconv>
#include <csignal>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/output_file.h"
#include "engine/base/quote.h"
#include "engine/cli/command.h"
#include "engine/cli/read_file.h"

namespace smallmind {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void Interrupt(int) {
  interrupted = 1;
  std::signal(SIGINT, SIG_DFL);
}

// While it lives, Ctrl-C sets `interrupted`: generation then ends as if cancelled, with the text so
// far. A second Ctrl-C ends the process. Who started it may have had SIGINT ignored, as a script
// does for its background jobs: then it stays so.
class InterruptStops {
 public:
  InterruptStops() : before_(std::signal(SIGINT, SIG_IGN)) {
    interrupted = 0;
    if (before_ != SIG_IGN) std::signal(SIGINT, Interrupt);
  }
  ~InterruptStops() { std::signal(SIGINT, before_); }
  InterruptStops(const InterruptStops&) = delete;
  InterruptStops& operator=(const InterruptStops&) = delete;

 private:
  void (*before_)(int);
};

struct GenerateFlags {
  ModelOptions model;
  std::string prompt;
  std::string file;
  std::string output;
  std::vector<std::string> biases;
  GenerateOptions generate;
  bool quiet = false;
};

// "ID:BIAS", the bias a number or -inf.
std::pair<TokenId, float> ParseBias(const std::string& word) {
  std::pair<TokenId, float> bias;
  const char* const end = word.data() + word.size();
  const auto id = std::from_chars(word.data(), end, bias.first);
  if (id.ec == std::errc() && id.ptr != end && *id.ptr == ':') {
    const auto value = std::from_chars(id.ptr + 1, end, bias.second);
    if (value.ec == std::errc() && value.ptr == end) return bias;
  }
  throw UsageError("--logit-bias takes ID:BIAS, such as 5:-inf, not " + Quote(word));
}

int RunGenerate(GenerateFlags o) {
  o.model.ApplyTarget();
  if (!o.prompt.empty() && !o.file.empty()) throw UsageError("give --prompt or --file, not both");
  if (!o.file.empty()) o.prompt = ReadText(o.file);
  for (const std::string& word : o.biases) {
    o.generate.sampler.logit_bias.push_back(ParseBias(word));
  }
  std::optional<OutputFile> file;
  if (!o.output.empty()) file.emplace(o.output);
  const Engine engine = Engine::Open(o.model.path, o.model.Opening(o.model.context));
  PrintWarning(engine.tokenizer());
  o.model.PrintContextWarning(engine.model().spec);
  Session session(engine, o.model.Session());
  const InterruptStops stops;
  o.generate.should_stop = [] { return interrupted != 0; };
  const auto show = [&](std::string_view piece) {
    if (file) file->Write({reinterpret_cast<const uint8_t*>(piece.data()), piece.size()});
    if (!o.quiet) {
      std::fwrite(piece.data(), 1, piece.size(), stdout);
      std::fflush(stdout);
    }
    return true;
  };
  GenerateResult result;
  try {
    result = session.Generate(o.prompt, o.generate, show);
  } catch (...) {
    if (file && file->size() > 0) file->Commit();
    throw;
  }
  if (!o.quiet) std::fputc('\n', stdout);
  if (file) file->Commit();
  if (result.reason == StopReason::kContextFull) {
    std::fprintf(stderr,
                 "smallmind: stopped at the context's end, %zu positions; --ctx sets more\n",
                 session.context());
  }
  if (result.reason == StopReason::kCancelled) {
    std::fprintf(stderr, "smallmind: interrupted after %zu tokens\n", result.tokens.size());
    return static_cast<int>(ExitCode::kInterrupted);
  }
  return 0;
}

}  // namespace

void AddGenerate(Program& program) {
  program.Add("generate", "Continue a prompt", [](Command& c) {
    auto o = std::make_shared<GenerateFlags>();
    o->model.Declare(&c);
    SamplerOptions& s = o->generate.sampler;
    c.Option("-p,--prompt", &o->prompt, "Prompt; empty: from BOS alone");
    c.Option("-f,--file", &o->file, "Prompt, read byte for byte; - for standard input").NotEmpty();
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
    c.Option("--typical-p", &s.typical_p, "Keep the most typical of this total mass; 1: all")
        .RealRange(0.0, 1.0)
        .ShowDefault();
    c.Option("--repeat-penalty", &s.repeat_penalty, "Divides logits of recent tokens; 1: off")
        .Positive()
        .ShowDefault();
    c.Option("--frequency-penalty", &s.frequency_penalty,
             "Subtracted from a recent token's logit for each time it occurs")
        .RealRange(-100.0, 100.0)
        .ShowDefault();
    c.Option("--presence-penalty", &s.presence_penalty,
             "Subtracted from a recent token's logit once")
        .RealRange(-100.0, 100.0)
        .ShowDefault();
    c.Option("--penalty-last-n", &s.penalty_last_n,
             "Tokens that are recent to the penalties; 0: none, -1: all")
        .Range(-1, std::numeric_limits<int32_t>::max())
        .ShowDefault();
    c.Option("--logit-bias", &o->biases,
             "ID:BIAS, added to that token's logit; -inf bans it; may be given again");
    c.Option("--seed", &s.seed, "Seed of the sampler").ShowDefault();
    c.Option("--stop", &o->generate.stop, "Text that ends generation; may be given again");
    c.Option("-o,--output", &o->output, "File that gets the generated text alone").NotEmpty();
    c.Flag("--parse-special", &o->generate.parse_special, "Special tokens in the prompt's text");
    c.Flag("--ignore-eos", &o->generate.ignore_eos, "Go on after an end-of-text token");
    c.Flag("-q,--quiet", &o->quiet, "Do not print the text");
    c.Runs([o] { return RunGenerate(*o); });
  });
}

}  // namespace smallmind
