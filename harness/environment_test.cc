#include "harness/environment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "harness/testing/paths.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

void Put(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

fs::path MadeUpMachine() {
  const fs::path root = TestTempDir() / "machine";
  fs::remove_all(root);
  Put(root / "proc/cpuinfo", "model name\t: Fast CPU\nflags\t\t: fpu avx2 fma hypervisor zzz\n");
  Put(root / "proc/meminfo", "MemTotal:  1024 kB\nMemAvailable: 512 kB\n");
  Put(root / "proc/loadavg", "0.75 0.50 0.25 1/2 3\n");
  Put(root / "proc/sys/kernel/randomize_va_space", "2\n");
  Put(root / "sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  Put(root / "sys/fs/cgroup/cpu.max", "50000 100000\n");
  for (int cpu = 0; cpu < 4; ++cpu) {
    const fs::path folder = root / "sys/devices/system/cpu" / ("cpu" + std::to_string(cpu));
    Put(folder / "topology/core_id", std::to_string(cpu / 2));
    Put(folder / "topology/physical_package_id", "0");
    Put(folder / "cache/index0/level", "1");
    Put(folder / "cache/index0/type", "Data");
    Put(folder / "cache/index0/size", "32K");
    Put(folder / "cache/index0/shared_cpu_list", std::to_string(cpu / 2));
  }
  Put(root / "sys/devices/system/cpu/smt/active", "1\n");
  Put(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
  Put(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "2600123\n");
  return root;
}

TEST(Environment, ReadsAMadeUpMachine) {
  const Environment environment = ReadEnvironment(MadeUpMachine());
  EXPECT_EQ(environment.cpu_model, "Fast CPU");
  EXPECT_EQ(environment.cpu_flags, (std::vector<std::string>{"avx2", "fma", "hypervisor"}));
  EXPECT_EQ(environment.logical_cpus, 4);
  EXPECT_EQ(environment.physical_cores, 2);
  EXPECT_EQ(environment.usable_cpus, 1);
  EXPECT_EQ(environment.smt, "on");
  EXPECT_EQ(environment.caches.at("L1d"), "32K x 2");
  EXPECT_EQ(environment.governor, "powersave");
  EXPECT_EQ(environment.frequency, "2600 MHz");
  EXPECT_EQ(environment.memory_bytes, 1024 * 1024);
  EXPECT_EQ(environment.virtualisation, "virtual machine");
  EXPECT_EQ(environment.transparent_huge_pages, "madvise");
  EXPECT_EQ(environment.load.at("1m"), 0.75);
  const auto warnings = EnvironmentWarnings(environment, 4);
  EXPECT_EQ(warnings.size(), 3u);  // too many threads, governor, SMT
}

TEST(Environment, MachinesOfOneHostNameAreToldApart) {
  const fs::path root = MadeUpMachine();
  const std::string hash = ReadEnvironment(root).hostname_hash;
  EXPECT_EQ(hash.size(), 8u);
  EXPECT_EQ(ReadEnvironment(root).hostname_hash, hash);
  Put(root / "proc/cpuinfo", "model name\t: Other CPU\n");
  const std::string other = ReadEnvironment(root).hostname_hash;
  EXPECT_NE(other, hash);
  fs::create_directories(root / "sys/devices/system/cpu/cpu4");
  EXPECT_NE(ReadEnvironment(root).hostname_hash, other);
}

TEST(Environment, WhatIsNotToldIsUnknown) {
  const Environment environment = ReadEnvironment("/nonexistent");
  EXPECT_EQ(environment.governor, "unknown");
  EXPECT_EQ(environment.smt, "unknown");
  EXPECT_EQ(environment.cpu_model, "unknown");
  EXPECT_EQ(environment.transparent_huge_pages, "unknown");
  EXPECT_FALSE(environment.hardware_counters.empty());
}

// The quota may be that of any group around the process's: a service's slice, an outer container's.
TEST(Environment, UsableCpusAreThoseOfTheTightestGroup) {
  const fs::path root = MadeUpMachine();
  const int all = UsableCpus("/nonexistent");  // those it may be scheduled on
  if (all < 2) GTEST_SKIP() << "a quota of one CPU shows on two at least";
  Put(root / "sys/fs/cgroup/cpu.max", "max 100000\n");
  Put(root / "sys/fs/cgroup/a.slice/cpu.max", "100000 100000\n");
  Put(root / "sys/fs/cgroup/a.slice/b.scope/cpu.max", "max 100000\n");
  for (const auto& [group, cpus] : {std::pair{"0::/a.slice/b.scope\n", 1},
                                    {"0::/\n", all},
                                    {"0::/../a.slice\n", all},
                                    {"1:cpu:/a.slice\n", all}}) {
    Put(root / "proc/self/cgroup", group);
    EXPECT_EQ(UsableCpus(root), cpus) << group;
  }
}

TEST(Environment, ThisMachineHasACpuAndMemory) {
  const Environment environment = ReadEnvironment();
  EXPECT_GT(environment.logical_cpus, 0);
  EXPECT_GT(environment.memory_bytes, 0);
  EXPECT_GE(environment.logical_cpus, environment.usable_cpus);
  EXPECT_FALSE(environment.kernel.empty());
}

}  // namespace
}  // namespace smallmind::harness
