#include "engine/kernels/targets.h"

#include <gtest/gtest.h>

namespace smallmind {
namespace {

TEST(Targets, EachAttainableTargetCanBeForced) {
  const auto names = AttainableTargets();
  ASSERT_FALSE(names.empty());
  for (const auto& name : names) {
    EXPECT_TRUE(ForceTarget(name)) << name;
    EXPECT_EQ(ChosenTarget(), name);
    EXPECT_EQ(AttainableTargets(), names);
  }
  EXPECT_FALSE(ForceTarget("AVX9"));
  EXPECT_EQ(ChosenTarget(), names.back());  // an unknown name changes nothing
  EXPECT_TRUE(ForceTarget(names.front()));
}

}  // namespace
}  // namespace smallmind
