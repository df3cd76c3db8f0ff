#include "harness/contamination.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "harness/testing/paths.h"

namespace smallmind::harness {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

struct Disturbance {
  ContaminationRule rule;
  SystemSnapshot before, after;
  ProcessResult process;
  int64_t calibration_ns = 1'000'000;
  bool cold = false;

  // One second on 4 CPUs, two of them the child's, nobody else.
  Disturbance() {
    rule.calibration_ns = 1'000'000;
    before.procs_running = 1;
    after.at_ns = kSecond;
    after.total_ns = 4 * kSecond;
    after.busy_ns = 2 * kSecond;
    process.cpu_ns = 2 * kSecond;
  }
  std::vector<std::string> Judge() {
    Sample sample;
    JudgeContamination(rule, before, after, process, calibration_ns, cold, sample);
    EXPECT_EQ(sample.contaminated, !sample.contamination.empty());
    return sample.contamination;
  }
};

using Marks = std::vector<std::string>;

TEST(Contamination, AQuietSampleIsClean) { EXPECT_EQ(Disturbance().Judge(), Marks{}); }

// A machine whose second snapshot comes `wall_ns` and `busy_ns` after the first.
class TwoSnapshots : public SystemProbe {
 public:
  explicit TwoSnapshots(int64_t busy_ns) : busy_ns_(busy_ns) {}
  SystemSnapshot Snapshot() override {
    SystemSnapshot s;
    s.at_ns = taken_ * kSecond;
    s.busy_ns = taken_++ * busy_ns_;
    return s;
  }
  int64_t CalibrationNs() override { return 1; }

 private:
  int64_t busy_ns_;
  int taken_ = 0;
};

TEST(Contamination, WarnsOfABusyMachineBeforeTheRun) {
  const ContaminationRule rule;
  TwoSnapshots quiet(kSecond / 4), busy(3 * kSecond / 2);
  EXPECT_EQ(WarnOfOthers(rule, quiet), "");
  EXPECT_EQ(WarnOfOthers(rule, busy),
            "others keep 1.5 CPUs busy: stop them, or look at the contamination marks");
}

TEST(Contamination, EachPartOfTheRuleIsNamed) {
  Disturbance steal;
  steal.after.steal_ns = kSecond / 8;
  EXPECT_EQ(steal.Judge(), Marks{"steal 3.1 %"});
  Disturbance hog;
  hog.after.busy_ns = 3 * kSecond;
  EXPECT_EQ(hog.Judge(), Marks{"others kept 1.0 CPUs busy"});
  Disturbance queue;
  queue.before.procs_running = 9;
  EXPECT_EQ(queue.Judge(), Marks{"9 tasks running beforehand"});
  Disturbance switches;
  switches.process.involuntary_switches = 2000;
  EXPECT_EQ(switches.Judge(), Marks{});  // its own threads yield to each other
  switches.after.busy_ns += kSecond / 4;
  EXPECT_EQ(switches.Judge(), Marks{"1000 involuntary switches per CPU second"});
  Disturbance slow;
  slow.calibration_ns = 1'500'000;
  EXPECT_EQ(slow.Judge(), Marks{"calibration loop 1.50x slower"});
  Disturbance faults;
  faults.process.major_faults = 1;
  EXPECT_EQ(faults.Judge(), Marks{"1 major faults"});
  faults.cold = true;
  EXPECT_EQ(faults.Judge(), Marks{});
}

TEST(Contamination, ShortSamplesAreNotJudgedByCoarseTicks) {
  Disturbance shorter;  // 10 ms: one tick of others is "one CPU busy"
  shorter.after = {.busy_ns = 20'000'000,
                   .steal_ns = 10'000'000,
                   .total_ns = 40'000'000,
                   .procs_running = 1,
                   .own_cpu_ns = 0,
                   .at_ns = 10'000'000};
  shorter.process.cpu_ns = 10'000'000;
  EXPECT_EQ(shorter.Judge(), Marks{});
}

TEST(Contamination, ARealHogIsSeen) {
  RealSystemProbe probe;
  std::atomic<bool> stop = false;
  ProcessRequest request;
  request.argv = {"/bin/sleep", "0.4"};
  RealProcessRunner runner(LauncherPath(), nullptr);
  // The hog is a process of its own: what the harness itself burns is subtracted.
  std::thread hog([&] {
    ProcessRequest spin;
    spin.argv = {"/bin/sh", "-c", "while :; do :; done"};
    spin.timeout_s = 120;
    RealProcessRunner(LauncherPath(), &stop).Run(spin);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const SystemSnapshot before = probe.Snapshot();
  const ProcessResult process = runner.Run(request);
  const SystemSnapshot after = probe.Snapshot();
  stop = true;
  hog.join();
  Sample sample;
  JudgeContamination({}, before, after, process, probe.CalibrationNs(), false, sample);
  EXPECT_GT(sample.system.at("other_cpus"), 0.4);
}

TEST(Contamination, CalibrationTakesTimeAndBaselineIsItsMedian) {
  RealSystemProbe probe;
  EXPECT_GT(probe.CalibrationNs(), 50'000);
  EXPECT_GT(CalibrationBaseline(probe, 3), 50'000);
}

}  // namespace
}  // namespace smallmind::harness
