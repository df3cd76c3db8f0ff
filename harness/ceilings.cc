#include "harness/ceilings.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/protocol.h"
#include "harness/stats/summary.h"

namespace smallmind::harness {

void MeasureCeilings(RunInfo& run, ProcessRunner& processes, int round) {
  const VariantInfo* reference = FindVariant(run, run.reference);
  if (reference == nullptr || reference->binary.empty()) return;
  std::set<int> threads;
  for (const Workload& workload : run.workloads) threads.insert(workload.threads);
  for (const int t : threads) {
    ProcessRequest request;
    request.argv = {reference->binary, "bench", "--ceilings", "-t", std::to_string(t)};
    request.pin = run.plan.pin;
    request.timeout_s = 60;
    const ProcessResult result = processes.Run(request);
    if (result.interrupted) return;
    std::vector<Ceiling> ceilings = ParseTranscript(result.out).ceilings;
    if (result.exit_code != 0 || result.signal != 0 || ceilings.empty()) {
      const std::string warning =
          "ceilings could not be measured: the roofline is left out and a gate against a stored "
          "baseline cannot normalise";
      if (std::ranges::find(run.warnings, warning) == run.warnings.end()) {
        run.warnings.push_back(warning);
      }
      return;
    }
    for (Ceiling& ceiling : ceilings) {
      ceiling.threads = t;
      ceiling.round = round;
      run.ceilings.push_back(ceiling);
    }
  }
}

double MedianCeiling(const RunInfo& run, const std::string& name, int threads) {
  std::vector<double> values;
  for (const Ceiling& ceiling : run.ceilings) {
    if (ceiling.name == name && ceiling.threads == threads) values.push_back(ceiling.value);
  }
  return values.empty() ? 0 : stats::Median(values);
}

std::map<int, double> CeilingLogs(const RunInfo& run, const std::string& name, int threads) {
  std::map<int, double> logs;
  for (const Ceiling& ceiling : run.ceilings) {
    if (ceiling.name == name && ceiling.threads == threads && ceiling.value > 0) {
      logs[ceiling.round] = std::log(ceiling.value);
    }
  }
  return logs;
}

}  // namespace smallmind::harness
