// The loop that measures: rounds of fresh processes in the plan's order, every sample recorded.
//
// Policies, all recorded in run.json: `warmup` rounds whose samples are kept but never used; a
// failed sample is tried again up to `retries` times, each try a sample of its own; a cell that
// failed in kGiveUpAfter consecutive rounds is given up, with a warning; a competitor whose warm-up
// took much longer than its block's median is measured in kSlowRounds rounds (plan.strides; no more
// than min_rounds, of which a short budget may leave fewer), or in one where a sample takes
// kSlowShare of the budget, one repetition each: what is that far off needs no sharp interval.
// Warm-ups have one repetition. An interrupt loses the running sample alone. A resumed run skips
// what samples.jsonl already has and goes on in the same order.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/ceiling_schedule.h"
#include "harness/contamination.h"
#include "harness/plan.h"
#include "harness/process.h"
#include "harness/progress.h"
#include "harness/record.h"
#include "harness/run_directory.h"
#include "harness/stopping.h"

namespace smallmind::harness {

inline constexpr int kGiveUpAfter = 2;
inline constexpr int kSlowRounds = 4;  // with three, Holm could not call a ratio of 1:50 a slowdown
inline constexpr double kSlowShare = 0.1;  // of the budget: whose sample takes more runs once

// What the runner needs of the world; all of it outlives the runner.
struct RunnerSeams {
  ProcessRunner& processes;
  Clock& clock;
  SystemProbe& probe;
  Progress& progress;
  const std::atomic<bool>& interrupt;
  std::function<void(int round)> measure_ceilings = {};  // after rounds that measured something
};

class Runner {
 public:
  // `samples` are those of an interrupted run, or empty.
  Runner(RunInfo& run, std::vector<Sample> samples, RunDirectory& directory, RunnerSeams seams);

  // Runs to the end, the budget or the interrupt; sets run.status, writes run.json after every
  // round. RunError where the results cannot be written.
  void Execute();

  const std::vector<Sample>& samples() const { return samples_; }

 private:
  struct CellState {
    int failed_rounds = 0;  // consecutive
    bool given_up = false;
    double last_s = 0;  // wall time of its latest sample
  };

  std::string CellName(const Cell& cell) const;
  bool RunRound(int round);  // false: interrupted
  int SlowRounds() const;
  bool SitsOut(const std::string& cell, int round) const;
  double ExpectedRoundS(int round) const;
  void MeasureCeilings(int round);
  bool RunCell(int round, int position, const Cell& cell);
  Sample MeasureOnce(int round, int position, const Cell& cell, int attempt, bool* interrupted);
  Workload WorkloadOf(const Cell& cell, int round) const;
  const std::string& BinaryOf(const Cell& cell) const;
  ProcessRequest RequestFor(const Cell& cell, const Sample& sample) const;
  void Record(Sample sample);
  void NoteOutcome(const Cell& cell, bool ok, const std::string& reason);
  void ChooseStrides();
  void LiftStrides();
  bool RepeatLifted();
  void LearnFrom(const Sample& sample);
  void Warn(const std::string& text);
  void ShowProgress(const Cell& cell, int round);
  double ElapsedS() const;

  RunInfo& run_;
  std::vector<Sample> samples_;
  RunDirectory& directory_;
  RunnerSeams seams_;
  Plan plan_;
  StoppingRule rule_;
  std::set<std::pair<int, std::string>> settled_;  // (round, cell) that need no further try
  std::map<std::pair<int, std::string>, int> tries_;
  std::map<std::string, CellState> cells_;
  CeilingSchedule ceilings_;
  int64_t next_id_ = 0;
  int64_t begin_ns_ = 0;
  int64_t fresh_samples_ = 0;
};

}  // namespace smallmind::harness
