// `quantize`: re-encodes a model's weight matrices.

#include "engine/modelmaker/quantize.h"

#include <cstdio>
#include <memory>
#include <string>

#include "engine/base/quote.h"
#include "engine/cli/command.h"
#include "engine/modelmaker/recipe.h"
#include "engine/runtime/cpus.h"

namespace smallmind {
namespace {

void ShowProgress(std::string_view tensor, DType from, DType to, size_t index, size_t count) {
  std::fprintf(stderr, "[%zu/%zu] %s %s", index + 1, count, Printable(tensor).c_str(),
               std::string(Info(from).name).c_str());
  if (from != to) std::fprintf(stderr, " -> %s", std::string(Info(to).name).c_str());
  std::fputc('\n', stderr);
}

int RunQuantize(QuantizeOptions o, bool quiet) {
  if (o.threads == 0) o.threads = UsableCpus();
  if (!quiet) o.progress = ShowProgress;
  const QuantizeResult result = Quantize(o);
  std::fprintf(stderr, "%s: %s, %llu matrices, %.1f -> %.1f MiB\n", o.output.c_str(),
               std::string(FindRecipe(o.type).name).c_str(),
               static_cast<unsigned long long>(result.tensors),
               static_cast<double>(result.input_bytes) / (1 << 20),
               static_cast<double>(result.output_bytes) / (1 << 20));
  if (result.fallbacks > 0) {
    std::fprintf(stderr,
                 "%llu matrices have rows that are not whole blocks and took another type\n",
                 static_cast<unsigned long long>(result.fallbacks));
  }
  return 0;
}

}  // namespace

void AddQuantize(Program& program) {
  program.Add("quantize", "Re-encode a model's weights", [](Command& c) {
    struct Arguments {
      QuantizeOptions options;
      bool quiet = false;
    };
    auto a = std::make_shared<Arguments>();
    a->options.threads = 0;
    std::string types;
    for (const std::string& name : RecipeNames()) types += " " + name;
    c.Option("input", &a->options.input, "GGUF file").Required();
    c.Option("output", &a->options.output, "GGUF file to write; may be the input").Required();
    c.Option("type", &a->options.type, "Weight type:" + types).Required();
    c.Option("-t,--threads", &a->options.threads, "Threads; 0: every usable CPU").Range(0, 1024);
    c.Flag("-q,--quiet", &a->quiet, "No line for each tensor");
    c.Runs([a] { return RunQuantize(a->options, a->quiet); });
  });
}

}  // namespace smallmind
