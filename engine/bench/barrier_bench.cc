// What a meeting of the engine's threads costs: a barrier, a shared loop of empty runs, a whole
// Run(). Wall time of one of them; with fewer free CPUs than threads it is the scheduler's figure.
// Mark is what a stage timer adds to each stage of worker 0.
#include <benchmark/benchmark.h>

#include <cstddef>

#include "engine/model/timers.h"
#include "engine/runtime/thread_team.h"

namespace smallmind {
namespace {

constexpr size_t kMeetings = 2000;  // in one Run()

void PerMeeting(benchmark::State& state) {
  const auto meetings = static_cast<double>(kMeetings) * static_cast<double>(state.iterations());
  state.counters["each"] = {meetings,
                            benchmark::Counter::kIsRate | benchmark::Counter::kInvert};  // seconds
}

void Barrier(benchmark::State& state) {
  ThreadTeam team(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    team.Run([](Worker& w) {
      for (size_t i = 0; i < kMeetings; ++i) w.Barrier();
    });
  }
  PerMeeting(state);
}

void LoopAndBarrier(benchmark::State& state) {
  ThreadTeam team(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    team.Run([](Worker& w) {
      for (size_t i = 0; i < kMeetings; ++i) {
        w.For(64, 1, [](size_t begin, size_t) { benchmark::DoNotOptimize(begin); });
        w.Barrier();
      }
    });
  }
  PerMeeting(state);
}

void Run(benchmark::State& state) {
  ThreadTeam team(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    team.Run([](Worker& w) { benchmark::DoNotOptimize(w.index()); });
  }
}

void Mark(benchmark::State& state) {
  StageTimers timers;
  StageClock clock(&timers);
  for (auto _ : state) {
    clock.Mark(Stage::kNorm);
    benchmark::ClobberMemory();
  }
}

BENCHMARK(Mark);
BENCHMARK(Barrier)->DenseRange(1, 4)->UseRealTime();
BENCHMARK(LoopAndBarrier)->DenseRange(1, 4)->UseRealTime();
BENCHMARK(Run)->DenseRange(1, 4)->UseRealTime();

}  // namespace
}  // namespace smallmind

BENCHMARK_MAIN();
