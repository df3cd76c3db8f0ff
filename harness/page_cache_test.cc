#include "harness/page_cache.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "harness/testing/paths.h"

namespace smallmind::harness {
namespace {

TEST(PageCache, WarmsAndEvicts) {
  const auto path = (TestTempDir() / "pages.bin").string();
  std::ofstream(path) << std::string(1 << 20, 'x');
  WarmFile(path);
  const double warm = ResidentPct(path);
  if (warm < 0) GTEST_SKIP() << "the kernel does not tell residency here";
  EXPECT_EQ(warm, 100);
  const std::string reason = EvictFile(path);
  if (!reason.empty()) GTEST_SKIP() << reason;
  EXPECT_LE(ResidentPct(path), 5);
  RereadFile(path);
  EXPECT_EQ(ResidentPct(path), 100);
}

TEST(PageCache, MissingFile) {
  EXPECT_EQ(ResidentPct("/nonexistent"), -1);
  EXPECT_NE(EvictFile("/nonexistent"), "");
  WarmFile("/nonexistent");
}

}  // namespace
}  // namespace smallmind::harness
