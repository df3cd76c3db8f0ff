#include "harness/runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <sstream>

#include "harness/load_run.h"
#include "harness/testing/paths.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kRunSecond = 1'000'000'000;

class FakeClock : public Clock {
 public:
  int64_t now = 5 * kRunSecond;
  int64_t NowNs() override { return now; }
  double UnixSeconds() override { return static_cast<double>(now) / kRunSecond; }
};

class FakeProbe : public SystemProbe {
 public:
  SystemSnapshot Snapshot() override { return {}; }
  int64_t CalibrationNs() override { return 1'000'000; }
};

class SilentProgress : public Progress {
 public:
  std::vector<std::string> messages;
  void Message(const std::string& text) override { messages.push_back(text); }
  void Update(const std::string&, int64_t, int64_t, double, double) override {}
  void RoundDone(int, const std::string&) override {}
  void Finish() override {}
};

// A good transcript of the workload p2-n2.
std::string Transcript(int repetitions) {
  std::string text = R"({"event":"exec","t_ns":1000}
{"event":"hello","protocol":1,"target":"AVX2","threads":1}
{"event":"phase","name":"ready","t_ns":2000}
)";
  for (int i = 0; i < repetitions; ++i) {
    const std::string rep = std::to_string(i);
    text += R"({"event":"token","rep":)" + rep + R"(,"index":0,"t_ns":5000}
{"event":"token","rep":)" +
            rep + R"(,"index":1,"t_ns":6000}
{"event":"rep","rep":)" +
            rep + R"(,"prompt_tokens":2,"gen_tokens":2,"start_ns":3000,)" +
            R"("prefill_ns":1500,"token_hash":"aa","logits_hash":"bb"}
)";
  }
  return text + "{\"event\":\"done\"}\n";
}

// Programs by the binary's name; each run takes `seconds` of the fake clock.
class FakeProcesses : public ProcessRunner {
 public:
  explicit FakeProcesses(FakeClock& clock) : clock_(clock) {}
  std::function<void(const std::string& binary, int run, ProcessResult&)> behave =
      [](const std::string&, int, ProcessResult&) {};
  std::map<std::string, double> seconds;
  std::vector<ProcessRequest> requests;

  ProcessResult Run(const ProcessRequest& request) override {
    requests.push_back(request);
    ProcessResult result;
    result.started = true;
    const auto flag = std::ranges::find(request.argv, "-r");
    result.out = Transcript(flag == request.argv.end() ? 1 : std::stoi(*std::next(flag)));
    const std::string& binary = request.argv[0];
    const double took = seconds.contains(binary) ? seconds[binary] : 1.0;
    result.wall_ns = static_cast<int64_t>(took * kRunSecond);
    clock_.now += result.wall_ns;
    behave(binary, runs_[binary]++, result);
    return result;
  }

 private:
  FakeClock& clock_;
  std::map<std::string, int> runs_;
};

class RunnerTest : public ::testing::Test {
 protected:
  RunnerTest()
      : processes_(clock_), directory_(RunDirectory::Create(TestTempDir() / "runner_test", 1.7e9)) {
    for (const char* name : {"o2", "a", "b"}) {
      run_.variants.push_back({});
      run_.variants.back().name = run_.variants.back().binary = name;
    }
    run_.reference = "o2";
    run_.models.push_back({});
    run_.models[0].name = "tiny";
    run_.workloads = {{"p2-n2-t1", 2, 2, 1, 1}};
    run_.plan.seed = "42";
    run_.plan.min_rounds = 2;
    run_.plan.max_rounds = 4;
    run_.plan.retries = 1;
    run_.plan.timeout_s = 10;
  }
  std::vector<Sample> Execute(std::vector<Sample> earlier = {}) {
    Runner runner(run_, std::move(earlier), directory_,
                  {processes_, clock_, probe_, progress_, interrupt_, [this](int round) {
                     ceiling_rounds_.push_back(round);
                     clock_.now += static_cast<int64_t>(ceilings_s_ * kRunSecond);
                   }});
    runner.Execute();
    return runner.samples();
  }
  static int Count(const std::vector<Sample>& samples, const std::string& variant) {
    int count = 0;
    for (const Sample& sample : samples) count += sample.variant == variant;
    return count;
  }

  FakeClock clock_;
  FakeProbe probe_;
  SilentProgress progress_;
  FakeProcesses processes_;
  std::atomic<bool> interrupt_ = false;
  std::vector<int> ceiling_rounds_;
  double ceilings_s_ = 0;  // what measuring them takes
  RunInfo run_;
  RunDirectory directory_;
};

TEST_F(RunnerTest, FollowsThePlanAndRecordsEverySample) {
  const auto samples = Execute();
  ASSERT_EQ(samples.size(), 3u * 5);
  EXPECT_EQ(run_.status, RunStatus::kComplete);
  const Plan plan(run_, 42);
  for (int round = 0; round < 4; ++round) {
    const auto cells = plan.Round(round);
    for (int i = 0; i < 3; ++i) {
      const Sample& sample = samples[3 + round * 3 + i];
      EXPECT_EQ(sample.variant, run_.variants[cells[i].variant].name);
      EXPECT_EQ(sample.position, i);
      EXPECT_FALSE(sample.warmup);
    }
  }
  EXPECT_TRUE(samples[0].warmup);
  EXPECT_EQ(LoadRun(directory_.path()).samples.size(), samples.size());
  EXPECT_EQ(samples[4].metrics.at("decode_tps"), 1e6);
}

TEST_F(RunnerTest, FailedSamplesAreRetriedOnceAndRecorded) {
  processes_.behave = [](const std::string& binary, int run, ProcessResult& result) {
    if (binary == "a" && run == 1) result.signal = 11;
  };
  const auto samples = Execute();
  EXPECT_EQ(Count(samples, "a"), 6);
  EXPECT_EQ(Count(samples, "b"), 5);
}

TEST_F(RunnerTest, ACellThatKeepsFailingIsGivenUp) {
  processes_.behave = [](const std::string& binary, int, ProcessResult& result) {
    if (binary == "a") result.timed_out = true;
  };
  const auto samples = Execute();
  EXPECT_EQ(Count(samples, "a"), kGiveUpAfter * 2);
  for (const Sample& sample : samples) {
    EXPECT_TRUE(sample.variant != "a" || sample.status == SampleStatus::kTimeout);
  }
  ASSERT_EQ(run_.warnings.size(), 1u);
  EXPECT_NE(run_.warnings[0].find("given up"), std::string::npos);
}

TEST_F(RunnerTest, TheBudgetEndsTheRunBetweenRounds) {
  run_.plan.max_rounds = 1000;
  run_.plan.budget_s = 20;  // a round takes three seconds
  const auto samples = Execute();
  EXPECT_EQ(run_.status, RunStatus::kBudget);
  EXPECT_EQ(samples.size(), 3u * (1 + 5));
}

TEST_F(RunnerTest, ABudgetIsExceededBySureRoundsAloneAndSaysSo) {
  run_.plan.min_rounds = 8;
  run_.plan.max_rounds = 1000;
  run_.plan.budget_s = 1;
  run_.plan.sure_rounds = 2;
  Execute();
  EXPECT_EQ(run_.rounds_done, 2);
  EXPECT_EQ(run_.status, RunStatus::kBudget);
  EXPECT_EQ(progress_.messages,
            std::vector<std::string>{"2 rounds at least; the budget is exceeded"});
}

TEST_F(RunnerTest, PreciseEnoughStopsAtMinRounds) {
  run_.plan.target_ci_pct = 1;  // the fake has no noise; three pairs give an interval of zero
  run_.plan.min_rounds = 3;
  run_.plan.max_rounds = 100;
  Execute();
  EXPECT_EQ(run_.rounds_done, 3);
  EXPECT_EQ(run_.status, RunStatus::kComplete);
  EXPECT_NE(run_.status_reason.find("intervals of prefill and decode"), std::string::npos);
}

TEST_F(RunnerTest, NothingToCompareIsNotPrecise) {
  run_.variants.resize(1);
  run_.plan.target_ci_pct = 1;
  run_.plan.min_rounds = 3;
  run_.plan.max_rounds = 100;
  run_.plan.budget_s = 21;  // the warm-up and twenty rounds of a second
  Execute();
  EXPECT_EQ(run_.rounds_done, 20);
  EXPECT_EQ(run_.status, RunStatus::kBudget);
}

TEST_F(RunnerTest, ASlowCompetitorSitsOutRounds) {
  run_.plan.max_rounds = run_.plan.min_rounds = 8;
  processes_.seconds["b"] = 20;
  const auto samples = Execute();
  EXPECT_EQ(Count(samples, "o2"), 9);
  EXPECT_EQ(run_.plan.strides.at("b|0|tiny|p2-n2-t1"), 2);
  std::vector<int> rounds;
  for (const Sample& sample : samples) {
    if (sample.variant == "b") rounds.push_back(sample.round);
  }
  EXPECT_EQ(rounds, (std::vector<int>{kWarmupRound, 0, 2, 4, 6}));
}

TEST_F(RunnerTest, OneStalledWarmUpDoesNotMakeACompetitorSlow) {
  run_.plan.max_rounds = run_.plan.min_rounds = 8;
  processes_.behave = [&](const std::string& binary, int run, ProcessResult& result) {
    if (binary == "b" && run == 0) result.wall_ns = 30 * kRunSecond;
  };
  EXPECT_EQ(Count(Execute(), "b"), 9);
  EXPECT_TRUE(run_.plan.strides.empty());
}

TEST_F(RunnerTest, ALiftedCompetitorsFirstRoundIsMeasuredAgainWithAllRepetitions) {
  run_.workloads[0].reps = 2;
  run_.plan.max_rounds = run_.plan.min_rounds = 8;
  processes_.behave = [&](const std::string& binary, int run, ProcessResult& result) {
    if (binary == "b" && run == 0) result.wall_ns = 30 * kRunSecond;
  };
  const auto samples = Execute();
  EXPECT_EQ(Count(samples, "b"), 10);
  EXPECT_EQ(Count(samples, "a"), 9);
  std::map<int, Sample> counted;  // by round
  for (const Sample& s : samples) {
    if (s.variant == "b" && !s.warmup) counted[s.round] = s;
  }
  EXPECT_EQ(counted.at(0).attempt, 1);
  for (const auto& [round, sample] : counted) EXPECT_EQ(sample.reps.size(), 2u) << round;
  const size_t before = processes_.requests.size();
  EXPECT_EQ(Execute(samples).size(), samples.size());  // resumed: nothing is left to do
  EXPECT_EQ(processes_.requests.size(), before);
  // Killed between the two attempts: the second one is made up for.
  std::vector<Sample> cut = samples;
  std::erase_if(cut, [](const Sample& s) { return s.round > 0 || s.attempt > 0; });
  EXPECT_EQ(Count(Execute(cut), "b"), 10);
}

TEST_F(RunnerTest, ASlowCompetitorKeepsItsRoundsInALongRun) {
  run_.plan.min_rounds = 3;
  run_.plan.max_rounds = 30;
  processes_.seconds["b"] = 20;
  EXPECT_EQ(Count(Execute(), "b"), 1 + 3);
}

TEST_F(RunnerTest, ASlowCompetitorHasKSlowRoundsAtMost) {
  run_.plan.min_rounds = 8;
  run_.plan.max_rounds = 30;
  processes_.seconds["b"] = 20;
  EXPECT_EQ(Count(Execute(), "b"), 1 + kSlowRounds);
}

TEST_F(RunnerTest, WarmUpsAndSlowCompetitorsRunOneRepetition) {
  run_.workloads[0].reps = 2;
  run_.plan.max_rounds = run_.plan.min_rounds = 3;
  processes_.seconds["b"] = 20;
  for (const Sample& sample : Execute()) {
    EXPECT_EQ(sample.status, SampleStatus::kOk) << sample.reason;
    EXPECT_EQ(sample.reps.size(), sample.warmup || sample.variant == "b" ? 1u : 2u);
  }
}

TEST_F(RunnerTest, TheBudgetKnowsThatRoundsWithoutTheSlowAreShort) {
  run_.plan.min_rounds = 3;
  run_.plan.max_rounds = 1000;
  run_.plan.budget_s =
      4 * 5 + 2 * 40 + 0.5;  // four slow samples, and forty rounds of the two others
  processes_.seconds["b"] = 5;
  EXPECT_EQ(Count(Execute(), "o2"), 40);
}

TEST_F(RunnerTest, WhoEatsTheBudgetRunsOnce) {
  run_.plan.min_rounds = 3;
  run_.plan.max_rounds = 1000;
  run_.plan.budget_s = 2 * 20 + 2 * 30 + 0.5;
  processes_.seconds["b"] = 20;
  const auto samples = Execute();
  EXPECT_EQ(Count(samples, "b"), 2);  // warm-up and round 0
  EXPECT_EQ(Count(samples, "o2"), 30);
}

TEST_F(RunnerTest, TheBudgetCountsTheWarmUp) {
  run_.plan.max_rounds = 1000;
  run_.plan.warmup = 3;  // nine seconds, as much as three rounds
  run_.plan.budget_s = 20;
  EXPECT_EQ(Execute().size(), 3u * (3 + 3));
}

TEST_F(RunnerTest, CeilingsKeepToTheirShareAndEndTheRun) {
  run_.plan.max_rounds = run_.plan.min_rounds = 40;  // of three seconds
  ceilings_s_ = 2;
  run_.plan.ceiling_share = 0.05;
  Execute();
  EXPECT_EQ(ceiling_rounds_, (std::vector<int>{0, 24, 36, 39}));
}

TEST_F(RunnerTest, APairsCeilingsAreMeasuredAtBothEnds) {
  run_.plan.max_rounds = run_.plan.min_rounds = 40;
  ceilings_s_ = 2;
  Execute();
  EXPECT_EQ(ceiling_rounds_, (std::vector<int>{0, 39}));
}

TEST_F(RunnerTest, TheBudgetCountsTheCeilings) {
  run_.plan.max_rounds = 1000;
  run_.plan.budget_s = 20;
  ceilings_s_ = 2;
  const int64_t begin = clock_.now;
  Execute();
  EXPECT_EQ(run_.rounds_done, 4);  // warm-up and four rounds of three seconds, two of ceilings
  EXPECT_LE(clock_.now - begin, 20 * kRunSecond);
  EXPECT_EQ(ceiling_rounds_, (std::vector<int>{0, 3}));
}

TEST_F(RunnerTest, AnInterruptedSampleIsNotRecorded) {
  processes_.behave = [&](const std::string&, int run, ProcessResult& result) {
    if (run == 2) result.interrupted = true;
  };
  const auto samples = Execute();
  EXPECT_EQ(run_.status, RunStatus::kInterrupted);
  EXPECT_EQ(samples.size(), 6u);
}

TEST_F(RunnerTest, ResumingSkipsWhatIsThere) {
  std::vector<Sample> all = Execute();
  const size_t before = processes_.requests.size();
  std::vector<Sample> half(all.begin(), all.begin() + 8);
  run_.rounds_done = 1;
  EXPECT_EQ(ceiling_rounds_, (std::vector<int>{0, 3}));
  ceiling_rounds_.clear();
  const auto samples = Execute(half);
  EXPECT_EQ(ceiling_rounds_, (std::vector<int>{1, 3})) << "round 0 is in the record";
  EXPECT_EQ(processes_.requests.size() - before, all.size() - 8);
  ASSERT_EQ(samples.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(samples[i].variant, all[i].variant);
    EXPECT_EQ(samples[i].round, all[i].round);
    EXPECT_EQ(samples[i].id, all[i].id);
    EXPECT_EQ(samples[i].env_bytes, all[i].env_bytes);
  }
}

TEST_F(RunnerTest, InjectionsReachTheirVariantAlone) {
  run_.plan.inject = "a=5,b=2";
  Execute();
  for (const ProcessRequest& request : processes_.requests) {
    const std::string last = request.argv.back();
    EXPECT_EQ(last, request.argv[0] == "a" ? "5" : request.argv[0] == "b" ? "2" : "1");
  }
}

}  // namespace
}  // namespace smallmind::harness
