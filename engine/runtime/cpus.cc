// Affinity first (taskset, cpusets), then the quota of control groups: a container with "--cpus 2"
// on a 64-core host must not start 64 threads. A thread is moved by an affinity of one CPU, which
// is taken back at once. Tested in thread_team_test.cc against sched_setaffinity.

#include "engine/runtime/cpus.h"

#include <sched.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "engine/runtime/cgroup.h"

namespace smallmind {
namespace {

std::vector<int> Members(const cpu_set_t& set) {
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

bool Move(int cpu, const cpu_set_t& usable) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  return sched_setaffinity(0, sizeof(one), &one) == 0 &&
         sched_setaffinity(0, sizeof(usable), &usable) == 0;
}

}  // namespace

size_t UsableCpus() {
  size_t n = std::max(1u, std::thread::hardware_concurrency());
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) n = static_cast<size_t>(CPU_COUNT(&set));
  if (const size_t quota = CgroupCpus(); quota != 0) n = std::min(n, quota);
  return std::max<size_t>(n, 1);
}

int CurrentCpu() { return sched_getcpu(); }

void MoveToCpu(int from, size_t steps) {
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof(usable), &usable) != 0) return;
  const std::vector<int> cpus = Members(usable);
  const size_t start = static_cast<size_t>(std::ranges::find(cpus, from) - cpus.begin());
  Move(cpus[(start % cpus.size() + steps) % cpus.size()], usable);
}

bool MoveOffCpus(std::span<const int> taken, size_t pick) {
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof(usable), &usable) != 0) return false;
  std::vector<int> cpus = Members(usable);
  std::erase_if(cpus, [&](int cpu) { return std::ranges::find(taken, cpu) != taken.end(); });
  return !cpus.empty() && Move(cpus[pick % cpus.size()], usable);
}

}  // namespace smallmind
