#include "harness/files.h"

#include <gtest/gtest.h>

#include <iterator>

#include "harness/error.h"
#include "harness/testing/paths.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

TEST(Files, AreReplacedAsAWhole) {
  const fs::path folder = TestTempDir() / "files_test", path = folder / "text";
  fs::create_directories(folder);
  const std::string bytes("a\0\nb", 4);
  WriteFileAtomically(path, "old");
  WriteFileAtomically(path, bytes);
  EXPECT_EQ(ReadFile(path), bytes);
  EXPECT_EQ(ReadFile(folder / "nosuch"), "");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << "nothing is left beside it";
}

TEST(Files, AFullDeviceKeepsTheOldOne) {
  const fs::path folder = TestTempDir() / "files_full", path = folder / "text";
  fs::create_directories(folder);
  WriteFileAtomically(path, "old");
  fs::create_symlink("/dev/full", path.string() + ".tmp");
  EXPECT_THROW(WriteFileAtomically(path, "new"), RunError);
  EXPECT_EQ(ReadFile(path), "old");
  EXPECT_THROW(WriteFileAtomically("/dev/full/x", "x"), RunError);
}

}  // namespace
}  // namespace smallmind::harness
