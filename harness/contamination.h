// The contamination ledger: what else the machine did while a sample ran.
//
// A rule fixed before the first sample (ContaminationRule) marks samples; none is dropped, and
// results are computed with and without the marked ones.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/process.h"
#include "harness/record.h"

namespace smallmind::harness {

// Counters of /proc/stat at one moment; CPU times in nanoseconds over all CPUs.
struct SystemSnapshot {
  int64_t busy_ns = 0;
  int64_t steal_ns = 0;
  int64_t total_ns = 0;
  int procs_running = 0;
  int64_t own_cpu_ns = 0;  // of the harness itself
  int64_t at_ns = 0;
};

class SystemProbe {
 public:
  virtual ~SystemProbe() = default;
  virtual SystemSnapshot Snapshot() = 0;
  virtual int64_t CalibrationNs() = 0;  // a fixed amount of arithmetic, about a millisecond
};

class RealSystemProbe : public SystemProbe {
 public:
  explicit RealSystemProbe(std::filesystem::path root = "/") : root_(std::move(root)) {}
  SystemSnapshot Snapshot() override;
  int64_t CalibrationNs() override;

 private:
  std::filesystem::path root_;
};

// Median of `count` calibrations: what the rule compares with.
int64_t CalibrationBaseline(SystemProbe& probe, int count = 15);

// Share of the machine's time that the hypervisor took between two snapshots, in percent.
double StealPct(const SystemSnapshot& before, const SystemSnapshot& after);

// CPUs that were busy between two snapshots with neither the harness nor a child that used
// `child_cpu_ns`.
double OtherCpus(const SystemSnapshot& before, const SystemSnapshot& after,
                 int64_t child_cpu_ns = 0);

// Watches the machine for a third of a second; "" where it is quiet, else a warning. (The load
// average is no help: it remembers the build that ended just before.)
std::string WarnOfOthers(const ContaminationRule& rule, SystemProbe& probe);

// Fills sample.system from the two snapshots and the child's own figures, then sets
// sample.contaminated and its reasons. `cold`: major faults are meant to happen.
void JudgeContamination(const ContaminationRule& rule, const SystemSnapshot& before,
                        const SystemSnapshot& after, const ProcessResult& process,
                        int64_t calibration_ns, bool cold, Sample& sample);

}  // namespace smallmind::harness
