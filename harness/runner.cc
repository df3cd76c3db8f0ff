// Tested without waiting by a fake process runner and clock (runner_test.cc), and as a whole with
// real, misbehaving processes and kills at random moments (testing/test_failures.py).
#include "harness/runner.h"

#include <algorithm>
#include <sstream>

#include "harness/error.h"
#include "harness/page_cache.h"
#include "harness/peer.h"
#include "harness/protocol.h"
#include "harness/stats/summary.h"

namespace smallmind::harness {
namespace {

// A competitor this many times slower than its block's median is measured in few rounds.
constexpr double kSlowFactor = 4.0;

std::string CountOf(int count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// "" for a process that ended as it should.
std::string ProcessFailure(const ProcessResult& result, double timeout_s, SampleStatus* status) {
  *status = SampleStatus::kFailed;
  if (!result.started) return result.error;
  if (result.timed_out) {
    *status = SampleStatus::kTimeout;
    std::ostringstream text;
    text << "no end within " << timeout_s << " s (--timeout)";
    return text.str();
  }
  if (result.too_much_output) return "more output than any sample has";
  if (result.signal != 0) {
    *status = SampleStatus::kCrashed;
    return "signal " + std::to_string(result.signal) + " (" + SignalName(result.signal) + ")";
  }
  if (result.exit_code == 0) return "";
  const std::string said = FirstLine(result.err_tail);
  return "exit code " + std::to_string(result.exit_code) + (said.empty() ? "" : ": " + said);
}

}  // namespace

Runner::Runner(RunInfo& run, std::vector<Sample> samples, RunDirectory& directory,
               RunnerSeams seams)
    : run_(run),
      samples_(std::move(samples)),
      directory_(directory),
      seams_(std::move(seams)),
      plan_(run, std::stoull(run.plan.seed)),
      rule_{run.plan.min_rounds, run.plan.max_rounds, run.plan.target_ci_pct, run.plan.budget_s,
            run.plan.sure_rounds > 0 ? run.plan.sure_rounds : run.plan.min_rounds},
      ceilings_(run.plan.ceiling_share) {
  for (const Sample& sample : samples_) {
    next_id_ = std::max(next_id_, sample.id + 1);
    LearnFrom(sample);
  }
}

std::string Runner::CellName(const Cell& cell) const {
  return CellKey(run_.variants[cell.variant].name, cell.layout, run_.models[cell.model].name,
                 run_.workloads[cell.workload].name);
}

// The bookkeeping that a sample leads to, the same for a fresh one and for one read back.
void Runner::LearnFrom(const Sample& sample) {
  const std::string cell = CellKey(sample);
  const bool ok = sample.status == SampleStatus::kOk;
  const auto key = std::pair(sample.round, cell);
  tries_[key] = std::max(tries_[key], sample.attempt + 1);
  const bool last_try = sample.attempt >= run_.plan.retries;
  if (ok || last_try) settled_.insert(key);
  CellState& state = cells_[cell];
  state.last_s = static_cast<double>(sample.wall_ns) / 1e9;
  if (ok) {
    state.failed_rounds = 0;
  } else if (last_try) {
    ++state.failed_rounds;
    state.given_up = state.failed_rounds >= kGiveUpAfter;
  }
}

double Runner::ElapsedS() const { return (seams_.clock.NowNs() - begin_ns_) / 1e9; }

void Runner::Warn(const std::string& text) {
  if (std::ranges::find(run_.warnings, text) != run_.warnings.end()) return;
  run_.warnings.push_back(text);
  seams_.progress.Message("warning: " + text);
}

void Runner::Execute() {
  begin_ns_ = seams_.clock.NowNs();
  const SystemSnapshot begin = seams_.probe.Snapshot();
  run_.status = RunStatus::kRunning;
  directory_.WriteInfo(run_);
  bool interrupted = false;
  for (int i = run_.plan.warmup; i > 0 && !interrupted; --i) {
    interrupted = !RunRound(kWarmupRound - (i - 1));
  }
  if (!interrupted && run_.plan.strides.empty() && run_.rounds_done == 0) ChooseStrides();
  Next next = Next::kContinue;
  bool overrun_told = false;
  int without_ceilings = -1;  // the latest round that measured something, if none followed it
  for (int round = 0; !interrupted; ++round) {
    // The budget speaks of time spent here: what an interrupted run spent before is gone.
    const double round_s = ExpectedRoundS(round);
    next = Decide(rule_, round, ElapsedS(), round_s, WidestInterval(run_, samples_));
    if (next != Next::kContinue) break;
    if (!overrun_told && Overruns(rule_, ElapsedS(), round_s)) {
      overrun_told = true;
      seams_.progress.Message(CountOf(rule_.sure_rounds, "round") +
                              " at least; the budget is exceeded");
    }
    const int64_t before = fresh_samples_;
    interrupted = !RunRound(round);
    if (!interrupted) run_.rounds_done = std::max(run_.rounds_done, round + 1);
    if (!interrupted && round == 0) {
      LiftStrides();
      interrupted = !RepeatLifted();
    }
    const bool measured = fresh_samples_ > before;  // else the record has this round already
    if (measured) without_ceilings = round;
    if (!interrupted && measured && ceilings_.Due(ElapsedS())) {
      MeasureCeilings(round);
      without_ceilings = -1;
    }
    run_.samples = static_cast<int64_t>(samples_.size());
    run_.environment.steal_pct = StealPct(begin, seams_.probe.Snapshot());
    directory_.WriteInfo(run_);
  }
  if (!interrupted && without_ceilings >= 0) MeasureCeilings(without_ceilings);
  if (interrupted) {
    run_.status = RunStatus::kInterrupted;
    run_.status_reason = "interrupted after " + CountOf(run_.rounds_done, "round");
  } else if (next == Next::kBudget) {
    run_.status = RunStatus::kBudget;
    run_.status_reason = "the time budget ended after " + CountOf(run_.rounds_done, "round");
  } else {
    run_.status = RunStatus::kComplete;
    run_.status_reason =
        next == Next::kPrecise
            ? "the intervals of prefill and decode of what ran every round are within --target-ci"
            : "all rounds are done";
  }
  run_.finished = UtcTime(seams_.clock.UnixSeconds());
  seams_.progress.Finish();
  directory_.WriteInfo(run_);
}

bool Runner::RunRound(int round) {
  const int64_t before = fresh_samples_;
  const double begin = ElapsedS();
  int contaminated = 0, failed = 0, position = 0;
  for (const Cell& cell : plan_.Round(round)) {
    const size_t first = samples_.size();
    ShowProgress(cell, round);
    if (!RunCell(round, position++, cell)) return false;
    for (size_t i = first; i < samples_.size(); ++i) {
      contaminated += samples_[i].contaminated;
      failed += samples_[i].status != SampleStatus::kOk;
    }
  }
  if (fresh_samples_ > before) {
    std::ostringstream text;
    text << fresh_samples_ - before << " samples, " << FormatDuration(ElapsedS() - begin);
    if (contaminated > 0) text << ", " << contaminated << " contaminated";
    if (failed > 0) text << ", " << failed << " failed";
    seams_.progress.RoundDone(round, text.str());
  }
  return true;
}

int Runner::SlowRounds() const { return std::min(kSlowRounds, run_.plan.min_rounds); }

bool Runner::SitsOut(const std::string& cell, int round) const {
  const auto stride = run_.plan.strides.find(cell);
  return round >= 0 && stride != run_.plan.strides.end() &&
         (round % stride->second != 0 || round / stride->second >= SlowRounds());
}

void Runner::MeasureCeilings(int round) {
  if (!seams_.measure_ceilings) return;
  const double begin = ElapsedS();
  seams_.measure_ceilings(round);
  ceilings_.Measured(ElapsedS() - begin);
}

// By what each cell took the last time: a round without the slow ones is short. Ceilings follow it
// where it is the last.
double Runner::ExpectedRoundS(int round) const {
  double seconds = ceilings_.last_s();
  for (const Cell& cell : plan_.Round(round)) {
    const std::string name = CellName(cell);
    const auto state = cells_.find(name);
    if (state == cells_.end() || state->second.given_up || SitsOut(name, round)) continue;
    seconds += state->second.last_s;
  }
  return seconds;
}

bool Runner::RunCell(int round, int position, const Cell& cell) {
  const std::string name = CellName(cell);
  const auto key = std::pair(round, name);
  if (settled_.contains(key) || cells_[name].given_up) return true;
  if (SitsOut(name, round)) return true;
  while (!settled_.contains(key)) {
    bool interrupted = seams_.interrupt.load();
    if (interrupted) return false;
    Sample sample = MeasureOnce(round, position, cell, tries_[key], &interrupted);
    if (interrupted) return false;
    const bool ok = sample.status == SampleStatus::kOk;
    const std::string reason = sample.reason;
    Record(std::move(sample));
    NoteOutcome(cell, ok, reason);
  }
  return true;
}

void Runner::Record(Sample sample) {
  directory_.Append(sample);
  LearnFrom(sample);
  samples_.push_back(std::move(sample));
  ++fresh_samples_;
}

void Runner::NoteOutcome(const Cell& cell, bool ok, const std::string& reason) {
  if (ok) return;
  const std::string& variant = run_.variants[cell.variant].name;
  const std::string where =
      variant + " on " + run_.models[cell.model].name + ", " + run_.workloads[cell.workload].name;
  seams_.progress.Message(where + ": " + reason);
  if (!cells_[CellName(cell)].given_up) return;
  Warn(where + ": given up after " + std::to_string(kGiveUpAfter) + " failed rounds: " + reason);
}

Workload Runner::WorkloadOf(const Cell& cell, int round) const {
  Workload workload = run_.workloads[cell.workload];
  if (round < 0 || run_.plan.strides.contains(CellName(cell))) workload.reps = 1;
  return workload;
}

const std::string& Runner::BinaryOf(const Cell& cell) const {
  const VariantInfo& variant = run_.variants[cell.variant];
  return cell.layout == 0 ? variant.binary : variant.layouts[cell.layout - 1];
}

ProcessRequest Runner::RequestFor(const Cell& cell, const Sample& sample) const {
  const VariantInfo& variant = run_.variants[cell.variant];
  const ModelInfo& model = run_.models[cell.model];
  const Workload workload = WorkloadOf(cell, sample.round);
  ProcessRequest request;
  if (variant.kind == VariantKind::kPeer) {
    request.argv = PeerCommand(variant.command, model.path, workload);
  } else {
    request.argv = {BinaryOf(cell), "bench",
                    "-m",           model.path,
                    "-p",           std::to_string(workload.prompt_tokens),
                    "-n",           std::to_string(workload.gen_tokens),
                    "-t",           std::to_string(workload.threads),
                    "-r",           std::to_string(workload.reps)};
    if (workload.sequences > 1) {
      request.argv.insert(request.argv.end(), {"--sequences", std::to_string(workload.sequences)});
    }
    if (workload.repack) request.argv.push_back("--repack");
    if (run_.plan.timers) request.argv.push_back("--timers");
    if (workload.training) request.argv.push_back("--training-text");
    std::istringstream injections(run_.plan.inject);  // VARIANT=PCT,VARIANT=PCT
    for (std::string part; std::getline(injections, part, ',');) {
      const size_t equals = part.find('=');
      if (part.substr(0, equals) != variant.name) continue;
      request.argv.insert(request.argv.end(), {"--inject-slowdown", part.substr(equals + 1)});
    }
  }
  request.environment_padding = sample.env_bytes;
  request.timeout_s = run_.plan.timeout_s;
  request.pin = run_.plan.pin;
  request.aslr_off = run_.plan.aslr_off;
  request.read_smaps = sample.warmup;
  return request;
}

Sample Runner::MeasureOnce(int round, int position, const Cell& cell, int attempt,
                           bool* interrupted) {
  VariantInfo& variant = run_.variants[cell.variant];
  ModelInfo& model = run_.models[cell.model];
  const Workload workload = WorkloadOf(cell, round);
  Sample sample;
  sample.id = next_id_++;
  sample.round = round;
  sample.position = position;
  sample.attempt = attempt;
  sample.warmup = round < 0;
  sample.variant = variant.name;
  sample.model = model.name;
  sample.workload = workload.name;
  sample.layout = cell.layout;
  if (run_.plan.random_environment) {
    sample.env_bytes = plan_.EnvironmentBytes(round, cell, attempt);
  }
  for (const std::string& file : {model.path, BinaryOf(cell)}) {
    if (file.empty()) continue;
    if (!run_.plan.cold) {
      // Some kernels take back pages that nobody has touched for a while: a row's own binary.
      WarmFile(file);
    } else if (const std::string reason = EvictFile(file); !reason.empty()) {
      Warn("--cold: " + reason);
    }
  }
  if (const double resident = ResidentPct(model.path); resident >= 0) {
    sample.system["page_cache_pct"] = resident;
  }
  const int64_t calibration_ns = seams_.probe.CalibrationNs();
  const SystemSnapshot before = seams_.probe.Snapshot();
  const ProcessResult result = seams_.processes.Run(RequestFor(cell, sample));
  const SystemSnapshot after = seams_.probe.Snapshot();
  *interrupted = result.interrupted;

  sample.start_unix = result.start_unix;
  sample.wall_ns = result.wall_ns;
  sample.counters = result.counters;
  for (const auto& [name, kib] : result.smaps) sample.system["smaps_" + name + "_kib"] = kib;
  sample.reason = ProcessFailure(result, run_.plan.timeout_s, &sample.status);
  if (sample.reason.empty()) {
    sample.reason = variant.kind == VariantKind::kPeer
                        ? MeasurePeer(result, workload, variant, sample)
                        : MeasureVariant(result.out, workload, variant, model, sample);
    sample.status = sample.reason.empty() ? SampleStatus::kOk : SampleStatus::kFailed;
  }
  JudgeContamination(run_.rule, before, after, result, calibration_ns, run_.plan.cold, sample);
  return sample;
}

void Runner::ChooseStrides() {
  std::map<std::pair<std::string, std::string>, std::vector<double>> blocks;
  for (const Sample& sample : samples_) {
    if (sample.status != SampleStatus::kOk || !sample.warmup) continue;
    blocks[{sample.model, sample.workload}].push_back(static_cast<double>(sample.wall_ns));
  }
  for (const Sample& sample : samples_) {
    if (sample.status != SampleStatus::kOk || !sample.warmup) continue;
    if (sample.variant == run_.reference) continue;
    const double ratio = sample.wall_ns / stats::Median(blocks[{sample.model, sample.workload}]);
    if (ratio < kSlowFactor) continue;
    // The last of its rounds comes before intervals may end the run. What eats the budget that
    // the others' precision needs runs once.
    const bool once =
        run_.plan.budget_s > 0 && sample.wall_ns / 1e9 > kSlowShare * run_.plan.budget_s;
    const int stride =
        once ? std::max(1, run_.plan.max_rounds)
             : std::max(1, (run_.plan.min_rounds - 1) / std::max(1, SlowRounds() - 1));
    run_.plan.strides[CellKey(sample)] = stride;
    char text[200];
    snprintf(text, sizeof text, "%s on %s takes %.0fx the median: it runs in %s only",
             sample.variant.c_str(), sample.model.c_str(), ratio,
             once ? "one round" : (std::to_string(SlowRounds()) + " rounds").c_str());
    seams_.progress.Message(text);
  }
}

// One stalled warm-up looks like a slow competitor; its first round tells them apart. There it ran
// one repetition, the others workload.reps.
void Runner::LiftStrides() {
  std::map<std::pair<std::string, std::string>, std::vector<double>> blocks;
  for (const Sample& sample : samples_) {
    if (sample.status != SampleStatus::kOk || sample.round != 0) continue;
    const double reps = static_cast<double>(std::max<size_t>(1, sample.reps.size()));
    blocks[{sample.model, sample.workload}].push_back(sample.wall_ns / reps);
  }
  for (const Sample& sample : samples_) {
    if (sample.status != SampleStatus::kOk || sample.round != 0) continue;
    const std::string cell = CellKey(sample);
    if (!run_.plan.strides.contains(cell)) continue;
    const double median = stats::Median(blocks[{sample.model, sample.workload}]);
    if (sample.wall_ns >= kSlowFactor * median) continue;
    run_.plan.strides.erase(cell);
    seams_.progress.Message(sample.variant + " on " + sample.model +
                            " is not slow after all: it runs in every round");
  }
}

// A lifted row's round 0 has one repetition, the cold one, and no warm one to pair with the
// others': it is measured again, and the later attempt counts. False: interrupted.
bool Runner::RepeatLifted() {
  int position = 0;
  for (const Cell& cell : plan_.Round(0)) {
    const int place = position++;
    const std::string name = CellName(cell);
    if (run_.plan.strides.contains(name)) continue;
    const Sample* latest = nullptr;
    for (const Sample& sample : samples_) {
      const bool here = sample.round == 0 && CellKey(sample) == name;
      if (here && sample.status == SampleStatus::kOk) latest = &sample;
    }
    if (latest == nullptr || latest->reps.empty() ||
        static_cast<int>(latest->reps.size()) >= WorkloadOf(cell, 0).reps)
      continue;
    settled_.erase({0, name});
    if (!RunCell(0, place, cell)) return false;
  }
  return true;
}

void Runner::ShowProgress(const Cell& cell, int round) {
  const int64_t per_round = static_cast<int64_t>(plan_.cells_per_round());
  const int64_t total = per_round * (rule_.max_rounds + run_.plan.warmup);
  const double elapsed = ElapsedS();
  double left = -1;
  if (fresh_samples_ > 0 && total > static_cast<int64_t>(samples_.size())) {
    left = elapsed / fresh_samples_ * (total - static_cast<int64_t>(samples_.size()));
    if (rule_.budget_s > 0) left = std::min(left, std::max(0.0, rule_.budget_s - elapsed));
  }
  const std::string where = round < 0 ? "warm-up" : "round " + std::to_string(round + 1);
  seams_.progress.Update(
      where + ": " + run_.variants[cell.variant].name + ", " + run_.models[cell.model].name,
      static_cast<int64_t>(samples_.size()), total, elapsed, left);
}

}  // namespace smallmind::harness
