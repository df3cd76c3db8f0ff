// Tested with a fake process runner (instruction_counts_test.cc) and end to end with a fake
// valgrind (testing/test_run.py).
#include "harness/instruction_counts.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

namespace smallmind::harness {
namespace {

// Whole chunks of the kernels' eight tokens; a row 50 times as slow still ends in time.
constexpr int kPrompt = 8, kLongPrompt = 24, kGen = 2, kLongGen = 6;

// "==1234== Collected : 63810176"
std::optional<int64_t> Collected(const std::string& err) {
  const size_t at = err.rfind("Collected :");
  if (at == std::string::npos) return std::nullopt;
  return std::strtoll(err.c_str() + at + 11, nullptr, 10);
}

std::string WhyNot(const ProcessResult& result, double timeout_s) {
  if (!result.started) return result.error;
  if (result.interrupted) return "interrupted";
  if (result.timed_out) {
    std::ostringstream text;
    text << "more than " << timeout_s << " s a process under valgrind";
    return text.str();
  }
  if (result.signal != 0) return "ended by " + SignalName(result.signal) + " under valgrind";
  if (result.exit_code != 0)
    return "exit code " + std::to_string(result.exit_code) + " under valgrind";
  return Collected(result.err_tail) ? "" : "valgrind printed no count";
}

void CountOne(const VariantInfo& variant, const ModelInfo& model, ProcessRunner& processes,
              const CountingOptions& options, InstructionCount& count) {
  const bool wide = variant.expected_target.starts_with("AVX3");
  if (wide && variant.dispatch == "static") {
    count.reason = "compiled for " + variant.expected_target + " alone: valgrind knows no AVX-512";
    return;
  }
  count.target = wide ? "AVX2" : variant.expected_target;
  const auto run = [&](int prompt, int gen) -> int64_t {
    ProcessRequest request;
    request.argv = {options.valgrind,
                    "--tool=callgrind",
                    "--callgrind-out-file=/dev/null",
                    variant.binary,
                    "bench",
                    "-m",
                    model.path,
                    "-p",
                    std::to_string(prompt),
                    "-n",
                    std::to_string(gen),
                    "-t",
                    "1",
                    "-r",
                    "1"};
    if (wide) request.argv.insert(request.argv.end(), {"--target", count.target});
    request.timeout_s = options.timeout_s;
    const ProcessResult result = processes.Run(request);
    count.reason = WhyNot(result, options.timeout_s);
    if (!count.reason.empty()) return 0;
    const int64_t total = *Collected(result.err_tail);
    count.totals["p" + std::to_string(prompt) + "-n" + std::to_string(gen)] = total;
    return total;
  };
  const int64_t base = run(kPrompt, kGen);
  const int64_t prompt = count.reason.empty() ? run(kLongPrompt, kGen) : 0;
  const int64_t gen = count.reason.empty() ? run(kPrompt, kLongGen) : 0;
  if (!count.reason.empty()) return;
  if (prompt <= base || gen <= base) {
    count.reason = "its counts do not grow with the tokens";
    return;
  }
  count.prefill = static_cast<double>(prompt - base) / (kLongPrompt - kPrompt);
  count.decode = static_cast<double>(gen - base) / (kLongGen - kGen);
}

}  // namespace

void CountInstructions(RunInfo& run, ProcessRunner& processes, const CountingOptions& options) {
  run.instructions.clear();
  if (run.models.empty()) return;
  const ModelInfo& model =
      *std::ranges::min_element(run.models, {}, [](const ModelInfo& m) { return m.file_bytes; });
  std::vector<const VariantInfo*> variants;
  for (const VariantInfo& variant : run.variants) {
    if (variant.kind != VariantKind::kVariant || variant.status != "built") continue;
    variants.push_back(&variant);
    run.instructions.push_back({variant.name, model.name});
    if (options.valgrind.empty())
      run.instructions.back().reason = "needs valgrind (package valgrind)";
  }
  if (options.valgrind.empty()) return;
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < variants.size(); i = next++) {
      CountOne(*variants[i], model, processes, options, run.instructions[i]);
    }
  };
  std::vector<std::jthread> workers;
  for (int i = 1; i < options.workers; ++i) workers.emplace_back(work);
  work();
}

std::string FindValgrind() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string file = folder + "/valgrind";
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

}  // namespace smallmind::harness
