#include "engine/runtime/cgroup.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <string>

#include "engine/base/testing.h"

namespace smallmind {
namespace {

namespace fs = std::filesystem;

// A machine's /proc and /sys as far as they are read.
class Cgroup : public testing::Test {
 protected:
  Cgroup() { fs::remove_all(root_); }
  ~Cgroup() override { fs::remove_all(root_); }
  void Put(const fs::path& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << '\n';
  }
  const fs::path root_ = TestTempDir() / "cgroup";
};

TEST_F(Cgroup, TheLeastLimitOfAllGroupsAroundCounts) {
  Put("proc/self/cgroup", "0::/user.slice/job.service");
  Put("sys/fs/cgroup/user.slice/cpu.max", "400000 100000");
  Put("sys/fs/cgroup/user.slice/job.service/cpu.max", "max 100000");
  Put("sys/fs/cgroup/user.slice/memory.max", "2000000");
  Put("sys/fs/cgroup/user.slice/job.service/memory.max", "5000000");
  EXPECT_EQ(CgroupCpus(root_), 4u);
  EXPECT_EQ(CgroupMemory(root_), 2000000u);
  Put("sys/fs/cgroup/user.slice/job.service/cpu.max", "100050 100000");
  EXPECT_EQ(CgroupCpus(root_), 2u);  // rounded up
}

TEST_F(Cgroup, AContainerSeesItsOwnGroupAsTheRoot) {
  Put("proc/self/cgroup", "0::/");
  Put("sys/fs/cgroup/cpu.max", "200000 100000");
  Put("sys/fs/cgroup/memory.max", "3000000");
  EXPECT_EQ(CgroupCpus(root_), 2u);
  EXPECT_EQ(CgroupMemory(root_), 3000000u);
}

TEST_F(Cgroup, NoLimitWhereNoneIsWrittenOrSeen) {
  EXPECT_EQ(CgroupCpus(root_), 0u);
  EXPECT_EQ(CgroupMemory(root_), SIZE_MAX);
  Put("proc/self/cgroup", "4:memory:/old\n0::/../outside");
  Put("sys/fs/cgroup/cpu.max", "max 100000");
  Put("sys/fs/cgroup/memory.max", "max");
  Put("sys/outside/cpu.max", "100000 100000");
  EXPECT_EQ(CgroupCpus(root_), 0u);
  EXPECT_EQ(CgroupMemory(root_), SIZE_MAX);
}

}  // namespace
}  // namespace smallmind
