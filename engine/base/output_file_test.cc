#include "engine/base/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "engine/base/error.h"
#include "engine/base/testing.h"

namespace smallmind {
namespace {

namespace fs = std::filesystem;

std::vector<uint8_t> Filled(size_t count, uint8_t value) {
  return std::vector<uint8_t>(count, value);
}

class OutputFileTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = TestTempDir() /
           ("output_file_" + std::to_string(testing::UnitTest::GetInstance()->random_seed()) +
            testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(dir_);
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }
  size_t Files() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(dir_), fs::directory_iterator()));
  }
  fs::path dir_;
};

TEST_F(OutputFileTest, AppearsOnlyAtCommit) {
  const fs::path path = dir_ / "out";
  {
    OutputFile out(path);
    out.Write(Filled(3, 'a'));
    out.Write(Filled(size_t{3} << 20, 'b'));  // larger than the buffer
    out.Write(Filled(2, 'c'));
    EXPECT_FALSE(fs::exists(path));
    EXPECT_EQ(out.size(), (size_t{3} << 20) + 5);
    out.Commit();
  }
  const std::string text = ReadAll(path);
  EXPECT_EQ(text.size(), (size_t{3} << 20) + 5);
  EXPECT_EQ(text.substr(0, 4), "aaab");
  EXPECT_EQ(text.substr(text.size() - 3), "bcc");
  EXPECT_EQ(Files(), 1u);
}

TEST_F(OutputFileTest, AbandonedLeavesTheOldFile) {
  const fs::path path = dir_ / "out";
  std::ofstream(path) << "old";
  { OutputFile(path).Write(Filled(10, 'x')); }
  EXPECT_EQ(ReadAll(path), "old");
  EXPECT_EQ(Files(), 1u);
}

// What ends a process leaves nothing where there was nothing to begin with.
TEST_F(OutputFileTest, HasNoNameBeforeCommit) {
  const int probe = open(dir_.c_str(), O_TMPFILE | O_WRONLY, 0600);
  if (probe < 0) GTEST_SKIP() << "no files without a name in " << dir_;
  close(probe);
  OutputFile out(dir_ / "out");
  out.Write(Filled(size_t{3} << 20, 'b'));
  EXPECT_EQ(Files(), 0u);
  out.Commit();
  EXPECT_EQ(Files(), 1u);
}

TEST_F(OutputFileTest, KeepsPermissions) {
  const fs::path path = dir_ / "out";
  for (const auto mode : {fs::perms(0600), fs::perms(0666), fs::perms(0751)}) {
    std::ofstream(path) << "old";
    fs::permissions(path, mode);
    OutputFile out(path);
    out.Write(Filled(3, 'n'));
    out.Commit();
    EXPECT_EQ(ReadAll(path), "nnn");
    EXPECT_EQ(fs::status(path).permissions(), mode);
  }
}

TEST_F(OutputFileTest, FollowsLinks) {
  std::ofstream(dir_ / "real") << "old";
  fs::create_symlink("real", dir_ / "link");
  OutputFile out(dir_ / "link");
  out.Write(Filled(1, 'n'));
  out.Commit();
  EXPECT_TRUE(fs::is_symlink(dir_ / "link"));
  EXPECT_EQ(ReadAll(dir_ / "real"), "n");
}

TEST_F(OutputFileTest, FullDiskIsAnErrorThatLeavesNothing) {
  {
    OutputFile full("/dev/full");
    EXPECT_THROW(full.Write(Filled(size_t{2} << 20, 0)), InputError);
  }
  EXPECT_TRUE(fs::exists("/dev/full"));

  // The same error path on a real file: a limit on file size.
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old = {};
  getrlimit(RLIMIT_FSIZE, &old);
  rlimit small = old;
  small.rlim_cur = 4096;
  setrlimit(RLIMIT_FSIZE, &small);
  {
    OutputFile out(dir_ / "big");
    EXPECT_THROW(out.Write(Filled(size_t{2} << 20, 0)), InputError);
  }
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(Files(), 0u);
}

TEST_F(OutputFileTest, RefusesWhatCannotBeWritten) {
  EXPECT_THROW(OutputFile(dir_ / "no" / "such" / "folder"), InputError);
  EXPECT_THROW(OutputFile{dir_}, InputError);
}

}  // namespace
}  // namespace smallmind
