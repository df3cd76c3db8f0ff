// Options that subcommands share, and their translation to the engine's own.

#include "engine/base/error.h"
#include "engine/cli/command.h"
#include "engine/kernels/targets.h"

namespace smallmind {

void ModelOptions::Declare(CLI::App* command) {
  command->add_option("-m,--model", path, "GGUF file")->required();
  command->add_option("-t,--threads", threads, "Threads; 0: every usable CPU")
      ->check(CLI::Range(0, 1024));
  command->add_option("-c,--ctx", context, "Positions of context; 0: the model's, at most 4096")
      ->check(CLI::Range(0, 1 << 24));
  command->add_option("-b,--batch", batch, "Prompt tokens taken at once; never changes a result")
      ->check(CLI::Range(1, 1 << 16));
  command->add_option("--kv", kv, "Type of the KV cache")->check(CLI::IsMember({"f32", "f16", "q8_0"}));
  command->add_option("--target", target, "Highway target to run, such as AVX2; default: the best");
}

void ModelOptions::ApplyTarget() const {
  if (target.empty() || ForceTarget(target)) return;
  std::string known;
  for (const std::string& name : AttainableTargets()) known += (known.empty() ? "" : ", ") + name;
  throw UsageError("--target " + target + " cannot run here; these can: " + known);
}

SessionOptions ModelOptions::Session() const {
  return {.threads = threads,
          .context = context,
          .batch = batch,
          .kv_type = FindDType(std::string_view(kv))->type};
}

}  // namespace smallmind
