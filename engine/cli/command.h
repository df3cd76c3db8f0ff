// The subcommands of the `smallmind` program: one file each, all listed here.
//
// Add… declares a subcommand, its options and what it runs, which returns an exit code or throws an
// Error.
#pragma once

#include <string>

#include "engine/cli/arguments.h"
#include "engine/cli/instant.h"
#include "engine/session.h"

namespace smallmind {

void AddGenerate(Program& program);
void AddBench(Program& program, const StartInstants& start);
void AddProfile(Program& program);
void AddLogits(Program& program);
void AddTokenize(Program& program);
void AddPerplexity(Program& program);
void AddVerify(Program& program);
void AddMakeModel(Program& program);
void AddQuantize(Program& program);
void AddInfo(Program& program);

// A tokenizer's warning, if any, as a line on stderr.
void PrintWarning(const Tokenizer& tokenizer);

// Options that most subcommands share.
struct ModelOptions {
  std::string path;
  std::string kv = "f16";  // f32, f16 or q8_0
  std::string target;      // Highway target to force; empty: the best
  size_t threads = 0;      // 0: every usable CPU
  size_t context = 0;      // 0: what the command needs, or the default
  size_t batch = SessionOptions{}.batch;
  bool repack = false;

  enum Presence { kRequiredModel, kOptionalModel };
  void Declare(Command* command, Presence presence = kRequiredModel);
  // Forces the Highway target where one was named. Throws UsageError with the attainable ones.
  void ApplyTarget() const;
  // A line on stderr where --ctx is beyond what the model was trained for.
  void PrintContextWarning(const ModelSpec& spec) const;
  SessionOptions Session() const;
  // For sessions of `positions` of context.
  EngineOptions Opening(size_t positions) const;
};

}  // namespace smallmind
