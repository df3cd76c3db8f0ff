#include "harness/history.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "harness/error.h"
#include "harness/stats/rng.h"
#include "harness/testing/paths.h"
#include "harness/testing/synthetic_run.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

HistoryEntry Entry(int index, double decode, const std::string& machine,
                   const std::string& conditions = "") {
  HistoryEntry e;
  e.run = "run-" + std::to_string(index);
  e.machine = machine;
  e.conditions = conditions;
  e.points = {{"o2", "m", "w", "decode_tps", decode, decode * 0.99, decode * 1.01},
              {"o2", "m", "w", "startup_ms", 4.0 + 0.01 * ((index * 7) % 5), 4, 5}};
  return e;
}

TEST(History, FindsThePlantedSlowDownOnItsOwnMachine) {
  std::vector<HistoryEntry> entries;
  for (int i = 0; i < 24; ++i) {
    const double wobble = 0.4 * ((i * 5) % 7 - 3);
    entries.push_back(Entry(i, (i < 12 ? 170.0 : 160.0) + wobble, "here"));
    entries.push_back(Entry(i, 500.0 + 50.0 * (i % 3), "elsewhere"));
    entries.push_back(Entry(i, 90.0 + 5.0 * (i % 3), "here", "cold"));
  }
  const auto changes = FindHistoryChanges(entries, Entry(24, 160.0, "here"));
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].metric, "decode_tps");
  EXPECT_EQ(changes[0].index, 12u);
  EXPECT_NEAR(changes[0].before, 170.0, 1.0);
  EXPECT_NEAR(changes[0].after, 160.0, 1.0);
}

TEST(History, ManySeriesWithoutAChangeHaveNone) {
  constexpr int kSeries = 200;
  stats::Rng rng(3);
  std::vector<HistoryEntry> entries;
  for (int i = 0; i < 24; ++i) {
    HistoryEntry e = Entry(i, i < 12 ? 170.0 + rng.Normal() : 150.0 + rng.Normal(), "here");
    e.points.resize(1);
    for (int s = 0; s < kSeries; ++s) {
      const double value = 100.0 + rng.Normal();
      e.points.push_back({"v" + std::to_string(s), "m", "w", "decode_tps", value, value, value});
    }
    entries.push_back(e);
  }
  const auto changes = FindHistoryChanges(entries, entries.back());
  ASSERT_EQ(changes.size(), 1u);  // the planted one
  EXPECT_EQ(changes[0].variant, "o2");
  EXPECT_EQ(changes[0].index, 12u);
}

TEST(History, AppendsOnceAndSurvivesATornLine) {
  const fs::path path = TestTempDir() / "smallmind-history.jsonl";
  fs::remove(path);
  SyntheticPlan plan;
  plan.variants = {FactorialVariants()[0], FactorialVariants()[1]};
  auto run = MakeSyntheticRun(plan);
  const Analysis analysis = Analyze(run.info, run.samples);
  AppendHistory(path.string(), run, analysis);
  AppendHistory(path.string(), run, analysis);
  EXPECT_EQ(LoadHistory(path.string()).size(), 1u);
  std::ofstream(path, std::ios::app) << "{\"run\":";
  run.info.id = "next";
  run.info.created = "2026-01-02T00:00:00Z";
  run.info.plan.cold = true;
  run.info.plan.pin = "0-1";
  AppendHistory(path.string(), run, analysis);
  const auto entries = LoadHistory(path.string());
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[1].run, "next");
  EXPECT_EQ(entries[0].conditions, "gcc, timers");
  EXPECT_EQ(entries[1].conditions, "gcc, cold, pinned to 0-1, timers");
  EXPECT_EQ(entries[1].points.size(), 2u * 2 * 6);
  EXPECT_NEAR(entries[0].points[0].value, entries[1].points[0].value, 1e-12);
  fs::remove(path);
  EXPECT_THROW(AppendHistory("/proc/nonexistent/h.jsonl", run, analysis), RunError);
}

TEST(History, AToolchainIsASeriesOfItsOwn) {
  SyntheticPlan plan;
  plan.variants = {FactorialVariants()[0], FactorialVariants()[1]};
  auto run = MakeSyntheticRun(plan);
  const HistoryEntry gcc = MakeHistoryEntry(run, {});
  for (VariantInfo& v : run.info.variants) v.toolchain = "clang";
  const HistoryEntry clang = MakeHistoryEntry(run, {});
  EXPECT_FALSE(gcc.ComparesWith(clang));
  run.info.variants[0].toolchain = "gcc";
  EXPECT_EQ(MakeHistoryEntry(run, {}).conditions, "gcc and clang, timers");
}

TEST(History, MissingFileIsAnEmptyHistory) { EXPECT_TRUE(LoadHistory("/nonexistent").empty()); }

}  // namespace
}  // namespace smallmind::harness
