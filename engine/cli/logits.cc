// `logits`: every position's logits for given token ids, little-endian float32, n_tokens × n_vocab.

#include <memory>

#include "engine/base/output_file.h"
#include "engine/cli/command.h"

namespace smallmind {
namespace {

struct LogitsFlags {
  ModelOptions model;
  std::vector<TokenId> tokens;
  std::string output;
};

int RunLogits(const LogitsFlags& o) {
  o.model.ApplyTarget();
  OutputFile file(o.output);
  SessionOptions options = o.model.Session();
  if (options.context == 0) options.context = o.tokens.size();
  const Engine engine =
      Engine::OpenWithoutTokenizer(o.model.path, o.model.Opening(options.context));
  Session session(engine, options);
  o.model.PrintContextWarning(engine.model().spec);
  session.PrefillAll(o.tokens, [&](std::span<const float> row) {
    file.Write({reinterpret_cast<const uint8_t*>(row.data()), row.size_bytes()});
  });
  file.Commit();
  return 0;
}

}  // namespace

void AddLogits(Program& program) {
  program.Add("logits", "Write the logits of every position", [](Command& c) {
    auto o = std::make_shared<LogitsFlags>();
    o->model.kv = "f32";
    o->model.Declare(&c);
    c.Option("--tokens", &o->tokens, "Token ids, comma separated").Required();
    c.Option("-o,--output", &o->output, "File of float32, n_tokens × n_vocab").Required();
    c.Runs([o] { return RunLogits(*o); });
  });
}

}  // namespace smallmind
