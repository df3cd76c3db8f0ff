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

TEST(PageCache, TellsHugePagesOfReadFiles) {
  const auto path = (TestTempDir() / "huge.bin").string();
  std::ofstream(path) << std::string(16 << 20, 'x');
  const double written = HugeMappedPct(path);
  if (written < 0) GTEST_SKIP() << "the kernel does not tell how files are mapped here";
  EXPECT_LE(written, 100);
  SettleFile(path);  // whether huge pages come is the file system's
  EXPECT_EQ(ResidentPct(path), 100);
  EXPECT_GE(HugeMappedPct(path), written);
}

TEST(PageCache, MissingFile) {
  EXPECT_EQ(ResidentPct("/nonexistent"), -1);
  EXPECT_NE(EvictFile("/nonexistent"), "");
  EXPECT_EQ(HugeMappedPct("/nonexistent"), -1);
  WarmFile("/nonexistent");
  SettleFile("/nonexistent");
}

}  // namespace
}  // namespace smallmind::harness
