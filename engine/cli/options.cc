// Options that subcommands share, and their translation to the engine's own.

#include <cstdio>

#include "engine/base/error.h"
#include "engine/cli/command.h"
#include "engine/kernels/targets.h"
#include "engine/runtime/cpus.h"

namespace smallmind {

void ModelOptions::Declare(Command* command, Presence presence) {
  OptionRules model = command->Option("-m,--model", &path, "GGUF file").NotEmpty();
  if (presence == kRequiredModel) model.Required();
  command->Option("-t,--threads", &threads, "Threads; 0: every usable CPU").Range(0, 1024);
  command->Option("-c,--ctx", &context, "Positions of context; 0: the model's, at most 4096")
      .Range(0, 1 << 24);
  command->Option("-b,--batch", &batch, "Prompt tokens taken at once; never changes a result")
      .Range(1, 1 << 16)
      .ShowDefault();
  command->Flag("--repack", &repack,
                "Copy matrices into memory at the start, in the order that kernels read them");
  command->Option("--kv", &kv, "Type of the KV cache").OneOf({"f32", "f16", "q8_0"}).ShowDefault();
  command->Option("--target", &target, "Highway target to run, such as AVX2; default: the best");
}

void ModelOptions::ApplyTarget() const {
  if (target.empty() || ForceTarget(target)) return;
  std::string known;
  for (const std::string& name : AttainableTargets()) known += (known.empty() ? "" : ", ") + name;
  throw UsageError("--target " + target + " cannot run here; these can: " + known);
}

void PrintWarning(const Tokenizer& tokenizer) {
  if (tokenizer.warning().empty()) return;
  std::fprintf(stderr, "smallmind: warning: %s\n", tokenizer.warning().c_str());
}

void ModelOptions::PrintContextWarning(const ModelSpec& spec) const {
  if (context <= spec.context_train) return;
  std::fprintf(stderr,
               "smallmind: warning: --ctx %zu is more than the %zu positions the model was trained "
               "for: text beyond them is likely to be poor\n",
               context, spec.context_train);
}

SessionOptions ModelOptions::Session() const {
  return {.threads = threads,
          .context = context,
          .batch = batch,
          .kv_type = FindDType(std::string_view(kv))->type};
}

EngineOptions ModelOptions::Opening(size_t positions) const {
  if (!repack) return {.context = positions};
  return {.context = positions, .repack_threads = threads == 0 ? UsableCpus() : threads};
}

}  // namespace smallmind
