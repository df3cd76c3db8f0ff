// `make-model`: a GGUF at a real model's shape, with pseudo-random weights.

#include "engine/modelmaker/make_model.h"

#include <cstdio>
#include <memory>
#include <string>

#include "engine/cli/command.h"
#include "engine/modelmaker/preset.h"
#include "engine/modelmaker/recipe.h"
#include "engine/runtime/cpus.h"

namespace smallmind {
namespace {

int RunMakeModel(MakeModelOptions o) {
  if (o.threads == 0) o.threads = UsableCpus();
  const MadeModel made = MakeModel(o);
  std::fprintf(stderr, "%s: %s %s, %llu parameters in %llu tensors, %.1f MiB\n", o.output.c_str(),
               o.preset.c_str(), std::string(FindRecipe(o.type).name).c_str(),
               static_cast<unsigned long long>(made.parameters),
               static_cast<unsigned long long>(made.tensors),
               static_cast<double>(made.file_bytes) / (1 << 20));
  return 0;
}

}  // namespace

void AddMakeModel(Program& program) {
  program.Add("make-model", "Write a model of random weights, for measuring", [](Command& c) {
    auto o = std::make_shared<MakeModelOptions>();
    o->threads = 0;
    std::string presets, types;
    for (const Preset& p : Presets()) presets += " " + std::string(p.name);
    for (const std::string& name : RecipeNames()) types += " " + name;
    c.Option("--preset", &o->preset, "Shape:" + presets).Required();
    c.Option("--quant", &o->type, "Weight type:" + types).ShowDefault();
    c.Option("--seed", &o->seed, "Of the weights; same seed, same bytes").ShowDefault();
    c.Option("-o,--output", &o->output, "GGUF file to write").Required();
    c.Option("-t,--threads", &o->threads, "Threads; 0: every usable CPU").Range(0, 1024);
    c.Runs([o] { return RunMakeModel(*o); });
  });
}

}  // namespace smallmind
