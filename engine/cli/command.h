// The subcommands of the `smallmind` program: one file each, all listed here.
//
// Add… declares a subcommand's options on `app` and, when it is the one chosen, stores in `action` what main
// runs after parsing. An action returns an exit code or throws an Error.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "engine/session.h"

namespace smallmind {

using Action = std::function<int()>;

void AddGenerate(CLI::App& app, Action* action);
void AddBench(CLI::App& app, int64_t main_ns, Action* action);  // main_ns: when main() began
void AddProfile(CLI::App& app, Action* action);
void AddLogits(CLI::App& app, Action* action);
void AddTokenize(CLI::App& app, Action* action);
void AddPerplexity(CLI::App& app, Action* action);
void AddVerify(CLI::App& app, Action* action);
void AddMakeModel(CLI::App& app, Action* action);
void AddQuantize(CLI::App& app, Action* action);
void AddInfo(CLI::App& app, Action* action);

// Options that most subcommands share.
struct ModelOptions {
  std::string path;
  std::string kv = "f16";  // f32, f16 or q8_0
  std::string target;      // Highway target to force; empty: the best
  size_t threads = 0;      // 0: every usable CPU
  size_t context = 0;      // 0: what the command needs, or the trained length
  size_t batch = 512;

  void Declare(CLI::App* command);
  // Forces the Highway target where one was named. Throws UsageError with the attainable ones.
  void ApplyTarget() const;
  SessionOptions Session() const;
};

}  // namespace smallmind
