#include "engine/model/experts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace smallmind {
namespace {

TEST(Experts, SelectsTheLargestAndRenormalises) {
  std::vector<float> logits = {0.0f, 2.0f, 1.0f, 2.0f};
  std::vector<Route> routes(2);
  SelectExperts(logits, routes);
  EXPECT_EQ(routes[0].expert, 1u);  // ties go to the lower index
  EXPECT_EQ(routes[1].expert, 3u);
  EXPECT_FLOAT_EQ(routes[0].weight, 0.5f);
  std::vector<float> three = {std::log(1.0f), std::log(3.0f), std::log(6.0f)};
  SelectExperts(three, routes);
  EXPECT_EQ(routes[0].expert, 2u);
  EXPECT_NEAR(routes[0].weight, 6.0 / 9.0, 1e-6);
  EXPECT_NEAR(routes[1].weight, 3.0 / 9.0, 1e-6);
}

// A token's experts differ whatever its logits: buffers are sized for one slot a token and expert.
TEST(Experts, NanLogitsStillGiveDistinctExperts) {
  for (const float odd : {std::nanf(""), INFINITY, -INFINITY}) {
    std::vector<float> logits = {1.0f, odd, 0.5f, odd};
    std::vector<Route> routes(4);
    SelectExperts(logits, routes);
    std::set<uint32_t> experts;
    for (const Route& route : routes) experts.insert(route.expert);
    EXPECT_EQ(experts.size(), routes.size()) << odd;
  }
}

TEST(Experts, PlanGroupsSlotsByExpert) {
  // Three tokens, two experts each.
  const std::vector<Route> routes = {{2, 0}, {0, 0}, {0, 0}, {1, 0}, {2, 0}, {0, 0}};
  ExpertPlan plan;
  plan.Build(routes, 2, 4);
  ASSERT_EQ(plan.groups.size(), 3u);
  size_t slots = 0;
  for (const auto& g : plan.groups) slots += g.end - g.begin;
  EXPECT_EQ(slots, routes.size());
  for (size_t choice = 0; choice < routes.size(); ++choice) {
    const size_t slot = plan.slot_of_choice[choice];
    EXPECT_EQ(plan.token_of_slot[slot], choice / 2);
    for (const auto& g : plan.groups) {
      if (slot >= g.begin && slot < g.end) {
        EXPECT_EQ(g.expert, routes[choice].expert);
      }
    }
  }
}

// Runs cover every row of every expert once, and rows count up to where each run starts.
TEST(Experts, RunsCoverEveryRowOnce) {
  const ExpertRuns runs{3, 50, 16};
  std::vector<int> seen(3 * 50);
  size_t before = 0;
  for (size_t i = 0; i < runs.count(); ++i) {
    const ExpertRuns::Run run = runs.At(i);
    EXPECT_EQ(runs.RowsBefore(i), before) << i;
    for (size_t row = run.begin; row < run.end; ++row) ++seen[run.group * 50 + row];
    before += run.end - run.begin;
  }
  EXPECT_EQ(seen, std::vector<int>(3 * 50, 1));
}

}  // namespace
}  // namespace smallmind
