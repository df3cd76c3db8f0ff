#include "engine/runtime/thread_team.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <thread>

#include "engine/base/error.h"
#include "engine/runtime/cpus.h"

namespace smallmind {
namespace {

TEST(ThreadTeam, EveryWorkerRunsOnce) {
  for (size_t n : {1, 2, 3, 4, 7}) {
    ThreadTeam team(n);
    for (int round = 0; round < 50; ++round) {
      std::vector<int> hits(n, 0);
      team.Run([&](Worker& w) { ++hits[w.index()]; });
      for (int h : hits) EXPECT_EQ(h, 1);
    }
  }
}

// Writes before a barrier are read after it by all the others; a missing barrier shows here and
// under TSan.
TEST(ThreadTeam, BarrierOrdersMemory) {
  ThreadTeam team(4);
  std::vector<uint64_t> cell(4 * 16, 0);
  std::vector<int> bad(4, 0);
  team.Run([&](Worker& w) {
    for (uint64_t step = 1; step <= 2000; ++step) {
      cell[w.index() * 16] = step * (w.index() + 1);
      w.Barrier();
      for (size_t i = 0; i < 4; ++i) bad[w.index()] += cell[i * 16] != step * (i + 1);
      w.Barrier();
    }
  });
  EXPECT_EQ(std::accumulate(bad.begin(), bad.end(), 0), 0);
}

TEST(ThreadTeam, ForCoversTheRangeExactlyOnce) {
  ThreadTeam team(4);
  for (size_t n : {0, 1, 5, 64, 1000}) {
    for (size_t grain : {1, 3, 64, 2000}) {
      std::vector<std::atomic<int>> hits(n + 1);
      team.Run([&](Worker& w) {
        for (int loop = 0; loop < 9; ++loop) {
          w.For(n, grain, [&](size_t b, size_t e) {
            for (size_t i = b; i < e; ++i) hits[i].fetch_add(1, std::memory_order_relaxed);
          });
          w.Barrier();
        }
      });
      for (size_t i = 0; i < n; ++i) ASSERT_EQ(hits[i].load(), 9) << n << ' ' << grain;
    }
  }
}

TEST(ThreadTeam, SharesFollowEachOtherAndCoverTheRange) {
  ThreadTeam team(3);
  for (size_t n : {0, 1, 2, 7, 100}) {
    for (size_t grain : {1, 4, 200}) {
      std::vector<Worker::Share> shares(3);
      team.Run([&](Worker& w) { shares[w.index()] = w.ShareOf(n, grain); });
      size_t at = 0;
      for (const Worker::Share& share : shares) {
        EXPECT_EQ(share.begin, at);
        EXPECT_TRUE(share.end == n || share.end % grain == 0);
        at = share.end;
      }
      EXPECT_EQ(at, n);
    }
  }
}

// A worker that waits fetches; the bytes may be anything, even none that exist.
TEST(ThreadTeam, WaitingFetchesAnything) {
  ThreadTeam team(2);
  std::vector<uint8_t> bytes(10000);
  team.Run([&](Worker& w) {
    FetchStream fetch(1000);
    fetch.Push({bytes.data(), bytes.size() + 100});
    for (int i = 0; i < 100; ++i) w.Barrier(&fetch);
  });
}

// Waits that outlast all yields end as well, at a barrier and between runs.
TEST(ThreadTeam, ParkedWorkersWakeUp) {
  ThreadTeam team(3);
  for (int run = 0; run < 2; ++run) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    std::atomic<int> arrived{0}, passed{0};
    team.Run([&](Worker& w) {
      if (w.index() == 2) std::this_thread::sleep_for(std::chrono::milliseconds(100));
      arrived.fetch_add(1, std::memory_order_relaxed);
      w.Barrier();
      EXPECT_EQ(arrived.load(), 3);  // nobody leaves before the last has come
      passed.fetch_add(1, std::memory_order_relaxed);
    });
    EXPECT_EQ(passed.load(), 3);
  }
}

// Workers start on CPUs of their own but are not held there.
TEST(ThreadTeam, WorkersMayRunOnEveryUsableCpu) {
  cpu_set_t usable;
  ASSERT_EQ(sched_getaffinity(0, sizeof(usable), &usable), 0);
  ThreadTeam team(5);
  std::vector<cpu_set_t> seen(5);
  team.Run([&](Worker& w) { sched_getaffinity(0, sizeof(cpu_set_t), &seen[w.index()]); });
  for (const cpu_set_t& set : seen) EXPECT_TRUE(CPU_EQUAL(&set, &usable));
}

// Threads that were started are stopped again; without that the process would end in terminate().
// In a child, whose address space holds a few stacks only.
TEST(ThreadTeam, RefusedThreadsAreAnInputError) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers need the address space";
#endif
  size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit usual{}, few{}, now{};
  getrlimit(RLIMIT_AS, &usual);
  few = usual;
  few.rlim_cur = pages * 4096 + (size_t{256} << 20);
  setrlimit(RLIMIT_AS, &few);
  getrlimit(RLIMIT_AS, &now);
  setrlimit(RLIMIT_AS, &usual);
  if (now.rlim_cur != few.rlim_cur) GTEST_SKIP() << "an emulator limits nothing";
  const auto start = [&few] {
    setrlimit(RLIMIT_AS, &few);
    try {
      ThreadTeam team(1000);
    } catch (const InputError& error) {
      std::fputs(error.what(), stderr);
      std::_Exit(7);
    }
    std::_Exit(0);
  };
  EXPECT_EXIT(start(), testing::ExitedWithCode(7), "cannot start 1000 threads: .*; take fewer");
}

TEST(ThreadTeam, AnExceptionOfTheCallerLeavesTheTeamUsable) {
  ThreadTeam team(3);
  std::atomic<int> ran{0};
  for (int run = 0; run < 3; ++run) {
    EXPECT_THROW(team.Run([&](Worker& w) {
      ran.fetch_add(1);
      if (w.index() == 0) throw std::bad_alloc();
    }),
                 std::bad_alloc);
  }
  team.Run([&](Worker&) { ran.fetch_add(1); });
  EXPECT_EQ(ran.load(), 12);
}

TEST(ThreadTeam, LoopsSurviveManyRuns) {
  ThreadTeam team(3);
  std::atomic<uint64_t> sum{0};
  for (int run = 0; run < 500; ++run) {
    team.Run([&](Worker& w) {
      w.For(10, 3, [&](size_t b, size_t e) {
        for (size_t i = b; i < e; ++i) sum.fetch_add(i, std::memory_order_relaxed);
      });
    });
  }
  EXPECT_EQ(sum.load(), 500u * 45u);
}

// As many loops without a barrier as are allowed, with bodies that let workers fall behind.
TEST(ThreadTeam, ThreeLoopsFollowEachOtherWithoutABarrier) {
  constexpr size_t kRuns = 12;
  constexpr int kRounds = 300;
  ThreadTeam team(4);
  std::array<std::array<std::atomic<int>, kRuns>, 3> hits = {};
  team.Run([&](Worker& w) {
    for (int round = 0; round < kRounds; ++round) {
      for (auto& loop : hits) {
        w.For(kRuns, 1, [&](size_t run, size_t) {
          loop[run].fetch_add(1, std::memory_order_relaxed);
          if ((run + w.index() + static_cast<size_t>(round)) % 5 == 0) std::this_thread::yield();
        });
      }
      w.Barrier();
    }
  });
  for (const auto& loop : hits) {
    for (const std::atomic<int>& n : loop) EXPECT_EQ(n, kRounds);
  }
}

std::vector<int> MembersOf(const cpu_set_t& set) {
  std::vector<int> cpus;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) cpus.push_back(i);
  }
  return cpus;
}

TEST(Cpus, AffinityMaskLimitsTheCount) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(MembersOf(before).front(), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(UsableCpus(), 1u);
  MoveToCpu(-1, 7);  // there is but one
  EXPECT_TRUE(CPU_ISSET(CurrentCpu(), &one));
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
}

TEST(Cpus, MovesStepsOnFromACpuAndStaysFree) {
  cpu_set_t before, after;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  const std::vector<int> usable = MembersOf(before);
  for (size_t from = 0; from < usable.size(); ++from) {
    for (const size_t steps : {size_t{0}, size_t{1}, usable.size() + 1}) {
      MoveToCpu(usable[from], steps);
      EXPECT_EQ(CurrentCpu(), usable[(from + steps) % usable.size()]) << from << " + " << steps;
    }
  }
  ASSERT_EQ(sched_getaffinity(0, sizeof(after), &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

TEST(Cpus, MovesOffTakenOnesAndStaysFree) {
  cpu_set_t before, after;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  const std::vector<int> usable = MembersOf(before);
  EXPECT_FALSE(MoveOffCpus(usable, 1));
  for (size_t keep = 0; keep < usable.size(); ++keep) {
    std::vector<int> taken = usable;
    taken.erase(taken.begin() + static_cast<ptrdiff_t>(keep));
    ASSERT_TRUE(MoveOffCpus(taken, 5));
    EXPECT_EQ(CurrentCpu(), usable[keep]);
  }
  ASSERT_EQ(sched_getaffinity(0, sizeof(after), &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

}  // namespace
}  // namespace smallmind
