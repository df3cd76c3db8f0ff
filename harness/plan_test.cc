#include "harness/plan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace smallmind::harness {
namespace {

RunInfo ThreeByTwo() {
  RunInfo run;
  for (const char* name : {"o2", "lto", "pgo", "bolt"}) {
    run.variants.push_back({});
    run.variants.back().name = name;
  }
  run.variants[3].status = "skipped";
  run.models.resize(2);
  run.workloads.resize(1);
  return run;
}

TEST(Plan, EveryRoundVisitsEveryBuiltCellOnce) {
  const Plan plan(ThreeByTwo(), 7);
  EXPECT_EQ(plan.cells_per_round(), 6u);
  for (int round = kWarmupRound; round < 20; ++round) {
    std::set<std::pair<int, int>> seen;
    for (const Cell& cell : plan.Round(round)) {
      EXPECT_NE(cell.variant, 3);
      EXPECT_TRUE(seen.insert({cell.variant, cell.model}).second);
    }
    EXPECT_EQ(seen.size(), 6u);
  }
}

TEST(Plan, PositionsAreBalancedOverASquare) {
  const Plan plan(ThreeByTwo(), 7);
  for (int square = 0; square < 5; ++square) {
    std::map<std::pair<int, int>, std::set<int>> positions;  // (model, variant) -> places
    for (int round = 3 * square; round < 3 * square + 3; ++round) {
      const auto cells = plan.Round(round);
      for (int i = 0; i < 6; ++i) {
        positions[{cells[i].model, cells[i].variant}].insert(i % 3);
      }
    }
    for (const auto& [key, places] : positions) EXPECT_EQ(places.size(), 3u);
  }
}

// Every ordered pair of neighbours equally often: in a square of an even number of competitors
// once, in two squares of an odd number twice.
TEST(Plan, NeighboursAreBalanced) {
  for (const int competitors : {4, 5, 8, 15}) {
    RunInfo run = ThreeByTwo();
    run.variants.resize(1);
    run.models.resize(1);
    while (static_cast<int>(run.variants.size()) < competitors) {
      run.variants.push_back(run.variants[0]);
    }
    const Plan plan(run, 11);
    const int times = competitors % 2 == 1 ? 2 : 1;
    std::map<std::pair<int, int>, int> seen;
    for (int round = 0; round < times * competitors; ++round) {
      const auto cells = plan.Round(round);
      ASSERT_EQ(cells.size(), static_cast<size_t>(competitors));
      for (size_t i = 1; i < cells.size(); ++i) {
        ++seen[{cells[i - 1].variant, cells[i].variant}];
      }
    }
    EXPECT_EQ(seen.size(), static_cast<size_t>(competitors * (competitors - 1)));
    for (const auto& [pair, count] : seen) EXPECT_EQ(count, times) << competitors;
  }
}

TEST(Plan, CellsOfABlockStayTogether) {
  const Plan plan(ThreeByTwo(), 9);
  for (int round = 0; round < 9; ++round) {
    const auto cells = plan.Round(round);
    EXPECT_EQ(cells[0].model, cells[2].model);
    EXPECT_EQ(cells[3].model, cells[5].model);
  }
}

TEST(Plan, SeedDecidesAndDifferentSeedsDiffer) {
  const Plan a(ThreeByTwo(), 1), b(ThreeByTwo(), 1), c(ThreeByTwo(), 2);
  bool differs = false;
  for (int round = 0; round < 10; ++round) {
    EXPECT_EQ(a.Round(round), b.Round(round));
    differs |= a.Round(round) != c.Round(round);
  }
  EXPECT_TRUE(differs);
  const Cell cell{1, 0, 1, 0};
  EXPECT_EQ(a.EnvironmentBytes(3, cell, 0), b.EnvironmentBytes(3, cell, 0));
  std::set<int> sizes;
  for (int round = 0; round < 100; ++round) sizes.insert(a.EnvironmentBytes(round, cell, 0));
  EXPECT_GT(sizes.size(), 90u);
}

TEST(Plan, LayoutsAreCompetitorsOfTheirOwn) {
  RunInfo run = ThreeByTwo();
  run.variants[0].layouts = {"a", "b"};
  EXPECT_EQ(Plan(run, 1).cells_per_round(), 10u);
}

TEST(Plan, TrainingPromptsAreForProfiledRowsAndTheirBasesEverySecondRound) {
  RunInfo run = ThreeByTwo();
  run.reference = "o2";
  run.variants[0].pgo = run.variants[1].pgo = "none";
  run.variants[1].lto = "full";
  run.variants[2].pgo = "use";
  run.variants[0].layouts = {"a"};
  const Plan before(run, 7);
  run.workloads.push_back(run.workloads[0]);
  run.workloads[1].training = true;
  const Plan plan(run, 7);
  for (int round = kWarmupRound; round < 6; ++round) {
    std::map<int, std::set<int>> models;  // of each variant on training prompts
    size_t ordinary = 0;
    for (const Cell& cell : plan.Round(round)) {
      ordinary += cell.workload == 0;
      if (cell.workload == 0) continue;
      EXPECT_EQ(cell.layout, 0);
      EXPECT_TRUE(models[cell.variant].insert(cell.model).second);
    }
    EXPECT_EQ(ordinary, before.Round(round).size());
    if (round < 0 || round % kTrainingEvery != 0) {
      EXPECT_TRUE(models.empty());
    } else {
      EXPECT_EQ(models, (std::map<int, std::set<int>>{{0, {0, 1}}, {2, {0, 1}}}));
    }
  }
}

}  // namespace
}  // namespace smallmind::harness
