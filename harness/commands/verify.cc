// `harness verify [MODEL…]`: exit 0 when all logits are the same bits, 3 when not.
#include "harness/verify.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>

#include "harness/commands/command.h"
#include "harness/environment.h"
#include "harness/error.h"
#include "harness/interrupt.h"
#include "harness/manifest.h"
#include "harness/models.h"
#include "harness/run_session.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

struct VerifyOptions {
  RunOptions run;
  std::vector<std::string> models;
  std::string tokens;
  std::vector<int> threads, batches = {1, 7};
  bool no_targets = false;
};

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "harness-verify-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw RunError("cannot make a temporary folder");
    path_ = name;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// The repository's tiny model of each architecture, and one made at a real model's shape.
std::string DefaultModels(const fs::path& arch) {
  std::string list = "stories15m-q8_0";
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(arch, error)) {
    if (entry.path().extension() == ".gguf") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) list += "," + file;
  return list;
}

int Verify(const VerifyOptions& options) {
  const std::atomic<bool>& interrupt = InstallInterrupt();
  const fs::path build_dir = BuildDirOf(options.run);
  const fs::path arch = fs::path(SMALLMIND_SOURCE_DIR) / "engine" / "testdata" / "arch";
  RealProcessRunner processes((build_dir / "bin" / "launcher").string(), &interrupt);
  VerifyPlan plan;
  for (VariantInfo& variant : CompetitorsOf(options.run)) {
    if (variant.status != "built") continue;
    const bool first = variant.name == "o2";
    plan.variants.insert(first ? plan.variants.begin() : plan.variants.end(), std::move(variant));
  }
  std::string wanted;
  for (const std::string& model : options.models) wanted += (wanted.empty() ? "" : ",") + model;
  plan.models = ResolveModels(wanted.empty() ? DefaultModels(arch) : wanted, build_dir,
                              plan.variants.front().binary, processes);
  plan.tokens = options.tokens;
  if (plan.tokens.empty()) std::getline(std::ifstream(arch / "tokens.txt"), plan.tokens);
  if (plan.tokens.empty()) plan.tokens = "1,2,3,4,5,6,7,8,9,10,11,12";
  plan.threads = options.threads;
  if (plan.threads.empty()) {
    for (int t = 1; t <= UsableCpus(); t *= 2) plan.threads.push_back(t);
  }
  plan.batches = options.batches;
  plan.all_targets = !options.no_targets;
  const ScratchFolder scratch;
  plan.scratch = scratch.path();
  const auto cells = VerifyBits(plan, processes, interrupt);
  std::fputs(VerifyText(cells).c_str(), stdout);
  return interrupt.load() ? kExitInterrupted : VerifyExitCode(cells);
}

}  // namespace

void AddVerify(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* verify = app.add_subcommand(
      "verify", "bit-identical logits over variants, threads, batches and targets (3 when not)");
  verify->add_option("models", options->models,
                     "GGUF files or PRESET-QUANT names (the test models, and stories15m-q8_0)");
  verify->add_option("--variants", options->run.variants, "names and groups, or all")
      ->capture_default_str();
  verify->add_option("--tokens", options->tokens, "token ids, comma-separated");
  verify->add_option("-t,--threads", options->threads, "thread counts (1, 2, 4 … all CPUs)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 1024));
  verify->add_option("--batch", options->batches, "batch sizes (1,7)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 1 << 20));
  verify->add_flag("--no-targets", options->no_targets, "do not force Highway targets");
  verify->add_option("--build-dir", options->run.build_dir, "build tree (that of this program)");
  verify->callback([options, &line] { line.action = [options] { return Verify(*options); }; });
}

}  // namespace smallmind::harness
