// CPU time of others = busy time of the machine - the child's - the harness's. /proc/stat counts in
// ticks of 10 ms a CPU, so a short sample sees it coarsely: below kMinOtherNs nothing is concluded.
// Tested with made-up snapshots and one real CPU hog (contamination_test.cc).
#include "harness/contamination.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "harness/strings.h"

namespace smallmind::harness {
namespace {

constexpr int64_t kMinOtherNs = 60'000'000;  // three 10 ms ticks on each of two CPUs
constexpr int64_t kMinStealNs = 20'000'000;
constexpr int kMinInvoluntary = 20;
// A yield to the program's own threads counts as an involuntary switch too, and a variant must not
// lose its slow samples for it: switches accuse others only where others ran.
constexpr double kSomeOtherCpus = 0.1;

int64_t OwnCpuNs() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * int64_t{1000000000} + time.tv_nsec;
}

}  // namespace

SystemSnapshot RealSystemProbe::Snapshot() {
  SystemSnapshot snapshot;
  snapshot.at_ns = RealClock().NowNs();
  snapshot.own_cpu_ns = OwnCpuNs();
  const int64_t tick_ns = 1'000'000'000 / std::max(1L, sysconf(_SC_CLK_TCK));
  std::ifstream file(root_ / "proc/stat");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name == "cpu") {
      // user nice system idle iowait irq softirq steal; guest time is within user already
      int64_t ticks[8] = {};
      for (int64_t& value : ticks) words >> value;
      for (const int64_t value : ticks) snapshot.total_ns += value * tick_ns;
      snapshot.steal_ns = ticks[7] * tick_ns;
      snapshot.busy_ns = snapshot.total_ns - (ticks[3] + ticks[4] + ticks[7]) * tick_ns;
    } else if (name == "procs_running") {
      words >> snapshot.procs_running;
    }
  }
  return snapshot;
}

int64_t RealSystemProbe::CalibrationNs() {
  // A chain of dependent multiply-adds: no memory, no vector unit, nothing to overlap, so its speed
  // is the core's clock times the share of the core that we get.
  constexpr int kSteps = 400'000;
  RealClock clock;
  const int64_t begin = clock.NowNs();
  volatile uint64_t sink = static_cast<uint64_t>(begin);
  uint64_t x = sink;
  for (int i = 0; i < kSteps; ++i) x = x * 6364136223846793005u + 1442695040888963407u;
  sink = x;
  return clock.NowNs() - begin;
}

int64_t CalibrationBaseline(SystemProbe& probe, int count) {
  std::vector<int64_t> times;
  for (int i = 0; i < count; ++i) times.push_back(probe.CalibrationNs());
  std::nth_element(times.begin(), times.begin() + count / 2, times.end());
  return times[count / 2];
}

double StealPct(const SystemSnapshot& before, const SystemSnapshot& after) {
  const int64_t total = after.total_ns - before.total_ns;
  return total <= 0 ? 0 : 100.0 * (after.steal_ns - before.steal_ns) / total;
}

double OtherCpus(const SystemSnapshot& before, const SystemSnapshot& after, int64_t child_cpu_ns) {
  const int64_t wall_ns = std::max<int64_t>(1, after.at_ns - before.at_ns);
  const int64_t other_ns =
      (after.busy_ns - before.busy_ns) - child_cpu_ns - (after.own_cpu_ns - before.own_cpu_ns);
  return std::max(0.0, static_cast<double>(other_ns) / static_cast<double>(wall_ns));
}

std::string WarnOfOthers(const ContaminationRule& rule, SystemProbe& probe) {
  const SystemSnapshot before = probe.Snapshot();
  std::this_thread::sleep_for(std::chrono::milliseconds(333));
  const double others = OtherCpus(before, probe.Snapshot());
  if (others <= rule.max_other_cpus) return "";
  return Print("others keep %.1f CPUs busy: stop them, or look at the contamination marks", others);
}

void JudgeContamination(const ContaminationRule& rule, const SystemSnapshot& before,
                        const SystemSnapshot& after, const ProcessResult& process,
                        int64_t calibration_ns, bool cold, Sample& sample) {
  const double other_cpus = OtherCpus(before, after, process.cpu_ns);
  const double other_ns = other_cpus * static_cast<double>(after.at_ns - before.at_ns);
  const double steal_pct = StealPct(before, after);
  const double involuntary_per_s =
      process.involuntary_switches * 1e9 / std::max<int64_t>(process.cpu_ns, 10'000'000);
  const double calibration_ratio =
      rule.calibration_ns > 0 ? static_cast<double>(calibration_ns) / rule.calibration_ns : 1;

  auto& system = sample.system;
  system["steal_pct"] = steal_pct;
  system["other_cpus"] = other_cpus;
  system["procs_running"] = before.procs_running;
  system["calibration_ns"] = static_cast<double>(calibration_ns);
  system["calibration_ratio"] = calibration_ratio;
  system["involuntary_per_s"] = involuntary_per_s;
  system["cpu_ns"] = static_cast<double>(process.cpu_ns);

  auto& marks = sample.contamination;
  if (steal_pct > rule.max_steal_pct && after.steal_ns - before.steal_ns >= kMinStealNs) {
    marks.push_back(Print("steal %.1f %%", steal_pct));
  }
  if (other_cpus > rule.max_other_cpus && other_ns >= kMinOtherNs) {
    marks.push_back(Print("others kept %.1f CPUs busy", other_cpus));
  }
  if (before.procs_running > rule.max_procs_running) {
    marks.push_back(Print("%.0f tasks running beforehand", before.procs_running));
  }
  if (involuntary_per_s > rule.max_involuntary_per_s &&
      process.involuntary_switches >= kMinInvoluntary && other_cpus >= kSomeOtherCpus) {
    marks.push_back(Print("%.0f involuntary switches per CPU second", involuntary_per_s));
  }
  if (!cold && process.major_faults > rule.max_major_faults) {
    marks.push_back(Print("%.0f major faults", static_cast<double>(process.major_faults)));
  }
  if (calibration_ratio > rule.max_calibration_ratio) {
    marks.push_back(Print("calibration loop %.2fx slower", calibration_ratio));
  }
  sample.contaminated = !marks.empty();
}

}  // namespace smallmind::harness
