// Central counter barrier with a phase word; waiters spin on the phase, yield, then park on it.
//
// Waiting. Half a microsecond of spinning is all that a barrier between equals needs. After it a
// waiter yields its CPU again and again: where nobody else wants it, that is a short system call;
// where a CPU is shared, with another program or with more threads than CPUs, what is run meanwhile
// is mostly what everybody waits for. Against 0.5 ms of spinning before parking, a 135M model with
// 4 threads on 4 CPUs decodes 13 times as fast beside one busy program and 9 to 19 times beside
// another process of its kind, 1.4 to 1.6 times with 6 threads, and the same on a quiet machine.
//
// The scheduler leaves threads that yield where they are, be it two on one CPU and none on the
// next, and in a virtual machine a wake-up often puts a thread onto the CPU of the one that woke
// it: a halted virtual CPU counts as preempted, not as idle. So workers start on CPUs of their own,
// note where they are, and when woken or after four accepted yields leave a CPU that an earlier
// worker is on: otherwise up to half of the runs of 30 ms are spent two on a CPU. From a CPU that
// another program wants (32 accepted yields, and none of the team there) a worker parks; the
// wake-up leads to a CPU of the team's, and nobody goes back for five seconds. Parking is for long
// waits otherwise: it costs a wake-up of 50 µs.
//
// With four threads a tree buys nothing: one contended line moves three times. Loop counters carry
// the number of their loop, so that they need no reset and no barrier of their own: a slot is taken
// over by compare-and-swap when a newer loop first asks. There is one a worker, so that in the
// usual case nobody else touches it. A slot is reused every fourth loop; a worker lags behind by at
// most the loops since the last barrier, and callers have at most kLoopSlots − 1 of them. Tested in
// thread_team_test.cc, under TSan as well.

#include "engine/runtime/thread_team.h"

#include <algorithm>
#include <string>
#include <system_error>

#include "engine/base/error.h"
#include "engine/runtime/clock.h"
#include "engine/runtime/cpus.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace smallmind {
namespace {

inline void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

constexpr uint32_t kSpins = 32;        // pauses of about 15 ns
constexpr uint32_t kSpinsBetween = 8;  // pauses between two yields
constexpr uint32_t kYields = 20000;    // about 7 ms on a machine that nobody else uses
constexpr uint32_t kShared = 4;    // accepted yields in a row until a worker looks who else is here
constexpr uint32_t kCrowded = 32;  // and until it leaves the CPU to another program
constexpr int64_t kShunNs = 5'000'000'000;
constexpr int64_t kAcceptedNs = 1000;  // a yield that nobody accepts takes 150 ns

// True as soon as the value is no longer `old`.
bool Spin(const std::atomic<uint32_t>& value, uint32_t old, uint32_t pauses) {
  for (uint32_t i = 0; i < pauses; ++i) {
    if (value.load(std::memory_order_acquire) != old) return true;
    Pause();
  }
  return false;
}

}  // namespace

size_t Worker::count() const { return team_->size(); }

void Worker::Barrier(FetchStream* fetch) {
  ThreadTeam& team = *team_;
  const uint32_t n = static_cast<uint32_t>(team.size());
  if (n == 1) return;
  const uint32_t phase = team.phase_.value.load(std::memory_order_acquire);
  if (team.arrived_.value.fetch_add(1, std::memory_order_acq_rel) + 1 == n) {
    team.arrived_.value.store(0, std::memory_order_relaxed);
    team.phase_.value.fetch_add(1, std::memory_order_acq_rel);
    team.phase_.value.notify_all();
  } else {
    Wait(team.phase_.value, phase, fetch);
  }
}

void Worker::Wait(const std::atomic<uint32_t>& value, uint32_t old, FetchStream* fetch) {
  while (fetch != nullptr && value.load(std::memory_order_acquire) == old) {
    const ByteRange piece = fetch->Wait(256);
    if (piece.bytes == 0) break;
    for (size_t i = 0; i < piece.bytes; i += 64) __builtin_prefetch(piece.data + i, 0, 2);
  }
  if (Spin(value, old, kSpins)) return;
  for (uint32_t i = 0; i < kYields; ++i) {
    const bool crowded = YieldCrowded();
    if (Spin(value, old, kSpinsBetween)) return;
    if (crowded) break;
  }
  accepted_ = 0;
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
  PartFromTeam();
}

bool Worker::YieldCrowded() {
  const int64_t before = NowNs();
  std::this_thread::yield();
  const int64_t after = NowNs();
  accepted_ = after - before > kAcceptedNs ? accepted_ + 1 : 0;
  if (accepted_ == kShared) PartFromTeam();
  if (accepted_ < kCrowded) return false;
  accepted_ = 0;
  NoteCpu();
  ThreadTeam::Place& mine = team_->places_[index_];
  const int here = mine.cpu.load(std::memory_order_relaxed);
  const bool shared_with_team = std::ranges::count_if(team_->places_, [&](const auto& place) {
                                  return place.cpu.load(std::memory_order_relaxed) == here;
                                }) > 1;
  if (shared_with_team) return false;
  mine.shunned.store(here, std::memory_order_relaxed);
  mine.shunned_until_ns.store(after + kShunNs, std::memory_order_relaxed);
  return true;
}

void Worker::NoteCpu() {
  team_->places_[index_].cpu.store(CurrentCpu(), std::memory_order_relaxed);
}

void Worker::PartFromTeam() {
  NoteCpu();
  const int64_t now = NowNs();
  std::vector<int> taken;
  for (const ThreadTeam::Place& place : team_->places_) {
    taken.push_back(place.cpu.load(std::memory_order_relaxed));
  }
  const auto me = taken.begin() + static_cast<ptrdiff_t>(index_);
  if (std::find(taken.begin(), me, *me) == me) return;
  for (const ThreadTeam::Place& place : team_->places_) {
    if (now < place.shunned_until_ns.load(std::memory_order_relaxed)) {
      taken.push_back(place.shunned.load(std::memory_order_relaxed));
    }
  }
  if (MoveOffCpus(taken, index_)) NoteCpu();
}

Worker::Share Worker::ShareOf(size_t n, size_t grain) const {
  const size_t runs = (n + grain - 1) / grain;
  const size_t begin = runs * index_ / count() * grain;
  const size_t end = runs * (index_ + 1) / count() * grain;
  return {begin, end < n ? end : n};
}

bool Worker::NextRun(size_t owner, size_t runs, size_t* run) {
  const size_t first = runs * owner / count(), mine = runs * (owner + 1) / count() - first;
  auto& slot = team_->loops_[loop_ % ThreadTeam::kLoopSlots * count() + owner].state;
  uint64_t seen = slot.load(std::memory_order_relaxed);
  while (true) {
    const bool current = static_cast<uint32_t>(seen >> 32) == loop_;
    const uint64_t taken = current ? (seen & 0xffffffffu) : 0;
    if (taken >= mine) return false;
    const uint64_t want = (uint64_t{loop_} << 32) | (taken + 1);
    if (slot.compare_exchange_weak(seen, want, std::memory_order_relaxed)) {
      *run = first + taken;
      return true;
    }
  }
}

ThreadTeam::ThreadTeam(size_t n_threads)
    : places_(n_threads == 0 ? 1 : n_threads),
      loops_(kLoopSlots * (n_threads == 0 ? 1 : n_threads)),
      home_(CurrentCpu()) {
  if (n_threads == 0) n_threads = 1;
  workers_.resize(n_threads);
  for (size_t i = 0; i < n_threads; ++i) {
    workers_[i].team_ = this;
    workers_[i].index_ = i;
  }
  try {
    for (size_t i = 1; i < n_threads; ++i) threads_.emplace_back([this, i] { ThreadMain(i); });
  } catch (const std::system_error& error) {
    Stop();
    throw InputError("cannot start " + std::to_string(n_threads) +
                     " threads: " + error.code().message() + "; take fewer");
  }
}

ThreadTeam::~ThreadTeam() { Stop(); }

void ThreadTeam::Stop() {
  stop_.store(true, std::memory_order_relaxed);
  epoch_.value.fetch_add(1, std::memory_order_release);
  epoch_.value.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadTeam::ThreadMain(size_t index) {
  MoveToCpu(home_, index);
  workers_[index].NoteCpu();
  uint32_t epoch = 0;
  while (true) {
    workers_[index].Wait(epoch_.value, epoch, nullptr);
    ++epoch;
    workers_[index].NoteCpu();
    if (stop_.load(std::memory_order_relaxed)) return;
    (*body_)(workers_[index]);
    workers_[index].Barrier();
  }
}

void ThreadTeam::Run(const std::function<void(Worker&)>& body) {
  body_ = &body;
  workers_[0].NoteCpu();
  if (size() > 1) {
    epoch_.value.fetch_add(1, std::memory_order_release);
    epoch_.value.notify_all();
  }
  try {
    body(workers_[0]);
  } catch (...) {
    workers_[0].Barrier();
    throw;
  }
  workers_[0].Barrier();
}

}  // namespace smallmind
