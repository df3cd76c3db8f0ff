// Affinity first (taskset, cpusets), then the cgroup v2 quota: a container with "--cpus 2" on a
// 64-core host must not start 64 threads. A thread is moved by an affinity of one CPU, which is
// taken back at once. Tested in thread_team_test.cc against sched_setaffinity.

#include "engine/runtime/cpus.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace smallmind {
namespace {

// "max 100000" or "200000 100000"; 0 where there is no limit.
size_t QuotaCpus() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  const double cpus = std::strtod(quota.c_str(), nullptr) / period;
  return cpus <= 0 ? 0 : static_cast<size_t>(cpus + 0.999);
}

}  // namespace

size_t UsableCpus() {
  size_t n = std::max(1u, std::thread::hardware_concurrency());
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) n = static_cast<size_t>(CPU_COUNT(&set));
  if (const size_t quota = QuotaCpus(); quota != 0) n = std::min(n, quota);
  return std::max<size_t>(n, 1);
}

int CurrentCpu() { return sched_getcpu(); }

void MoveToCpu(int from, size_t steps) {
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof(usable), &usable) != 0) return;
  std::vector<int> cpus;
  size_t start = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &usable)) continue;
    if (cpu == from) start = cpus.size();
    cpus.push_back(cpu);
  }
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpus[(start + steps) % cpus.size()], &one);
  if (sched_setaffinity(0, sizeof(one), &one) == 0) sched_setaffinity(0, sizeof(usable), &usable);
}

}  // namespace smallmind
