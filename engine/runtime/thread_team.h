// A fixed team of threads that run one body together (SPMD), with a barrier and shared loops.
//
// A forward pass is one Run(): the threads meet at a handful of barriers a layer instead of being
// handed a task per operation. A barrier costs well under a microsecond while all threads run. A
// thread that waits longer offers its CPU to whoever else wants it, and after some milliseconds
// parks in the kernel.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "engine/tensor/fetch_stream.h"

namespace smallmind {

class ThreadTeam;

// One thread's handle inside Run().
class alignas(64) Worker {  // a cache line of its own: it is written at every loop and yield
 public:
  size_t index() const { return index_; }
  size_t count() const;

  // All workers of the team arrive before any leaves. What was written before is visible after.
  // Who waits fetches meanwhile what `fetch` says (null: nothing).
  void Barrier(FetchStream* fetch = nullptr);

  // This worker's part of [0, n) in a loop over runs of `grain`.
  struct Share {
    size_t begin, end;
  };
  Share ShareOf(size_t n, size_t grain) const;

  // Splits [0, n) into runs of `grain`; every worker calls it with the same n and grain, in the
  // same order of loops. body(begin, end). A worker takes the runs of its own share in ascending
  // order, then what is left of the others', so that a slow CPU holds nobody up and memory is read
  // in order. No barrier at the end: three loops at most may follow each other without one.
  template <typename Body>
  void For(size_t n, size_t grain, Body&& body) {
    ++loop_;
    if (grain == 0) grain = 1;
    const size_t runs = (n + grain - 1) / grain;
    for (size_t i = 0; i < count(); ++i) {
      const size_t owner = index_ + i < count() ? index_ + i : index_ + i - count();
      size_t run;
      while (NextRun(owner, runs, &run)) {
        body(run * grain, (run + 1) * grain < n ? (run + 1) * grain : n);
      }
    }
  }

 private:
  friend class ThreadTeam;
  // The next of `owner`'s runs that nobody has taken.
  bool NextRun(size_t owner, size_t runs, size_t* run);
  // Until value is no longer `old`.
  void Wait(const std::atomic<uint32_t>& value, uint32_t old, FetchStream* fetch);
  // Offers this CPU to others; true once that has often enough been accepted that it seems shared
  // with another program.
  bool YieldCrowded();
  // Leaves a CPU that it shares with an earlier worker of the team, if there is a free one.
  void PartFromTeam();
  void NoteCpu();

  ThreadTeam* team_ = nullptr;
  size_t index_ = 0;
  uint32_t loop_ = 0;      // number of the current loop, the same in every worker
  uint32_t accepted_ = 0;  // yields in a row in which somebody else ran
};

class ThreadTeam {
 public:
  // n_threads ≥ 1, the calling thread of Run() included. Starts n_threads − 1 threads; InputError
  // where the system refuses.
  explicit ThreadTeam(size_t n_threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  size_t size() const { return workers_.size(); }

  // Runs body on every thread and returns when all are done. Not reentrant. The body must not throw
  // past a barrier that others wait at; exceptions thrown by worker 0 after its last barrier
  // propagate.
  void Run(const std::function<void(Worker&)>& body);

 private:
  friend class Worker;
  static constexpr size_t kLoopSlots = 4;

  void ThreadMain(size_t index);
  void Stop();

  struct alignas(64) Line {
    std::atomic<uint32_t> value{0};
  };
  // Where a worker is, as it last noted, and which CPU it found wanted by another program.
  struct alignas(64) Place {
    std::atomic<int> cpu{-1};
    std::atomic<int> shunned{-1};
    std::atomic<int64_t> shunned_until_ns{0};
  };
  struct alignas(64) LoopSlot {
    std::atomic<uint64_t> state{0};  // loop number << 32 | runs of the owner's share taken
  };

  Line epoch_;                   // of Run(): bumped to start a body
  Line arrived_;                 // at the barrier
  Line phase_;                   // of the barrier: bumped by the last to arrive
  std::vector<Place> places_;    // of the workers
  std::vector<LoopSlot> loops_;  // [loop % kLoopSlots][owner]
  int home_;                     // CPU of the thread that made the team
  std::atomic<bool> stop_{false};
  const std::function<void(Worker&)>* body_ = nullptr;
  std::vector<Worker> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace smallmind
