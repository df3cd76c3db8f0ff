#include "engine/base/build_info.h"

#include <gtest/gtest.h>

namespace smallmind {
namespace {

// The tests are compiled once and linked to each variant's objects, so these hold whichever it is.
TEST(BuildInfo, NamesAVariantAndACompilerWithItsVersion) {
  const BuildInfo& info = GetBuildInfo();
  EXPECT_FALSE(info.variant.empty());
  EXPECT_NE(info.compiler.find_first_of("0123456789"), std::string_view::npos) << info.compiler;
  EXPECT_FALSE(info.git.empty());
}

TEST(BuildInfo, StatesAreAmongThoseThatTheTableAllows) {
  const BuildInfo& info = GetBuildInfo();
  EXPECT_TRUE(info.dispatch == "dynamic" || info.dispatch == "static") << info.dispatch;
  EXPECT_TRUE(info.pgo == "none" || info.pgo == "instrument" || info.pgo == "use") << info.pgo;
  EXPECT_TRUE(info.link == "dynamic" || info.link == "static") << info.link;
}

// Contraction would let the compiler choose where to fuse, which breaks the order contract.
TEST(BuildInfo, ContractionIsOff) {
  EXPECT_NE(GetBuildInfo().flags.find("-ffp-contract=off"), std::string_view::npos)
      << GetBuildInfo().flags;
  EXPECT_EQ(GetBuildInfo().flags.find("-ffast-math"), std::string_view::npos);
}

}  // namespace
}  // namespace smallmind
