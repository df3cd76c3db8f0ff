// CPU time rather than wall time: a shared machine takes the processor away, the thread's clock
// stops then.
#include "engine/bench/bench_ceilings.h"

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/kernels/ceilings.h"
#include "engine/runtime/memory_size.h"

namespace smallmind {
namespace {

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Best of five, in units of 10^9 a second. `work` returns what one run did.
template <class Work>
double Best(Work work) {
  double best = 0.0;
  for (int run = 0; run < 5; ++run) {
    const double begin = CpuSeconds();
    const double done = work();
    best = std::max(best, done / (CpuSeconds() - begin));
  }
  return best * 1e-9;
}

Ceilings Measure() {
  constexpr size_t kIterations = 500'000;
  Ceilings c;
  float sink = 0.0f;
  const auto best = [&](auto work) {
    return Best([&] {
      const CeilingWork done = work(kIterations);
      sink += done.sink;
      return done.operations;
    });
  };
  c.fma_gflops = best(FmaWork);
  c.int8_gops = best(Int8DotWork);
  c.bf16_gflops = best(Bf16DotWork);
  const std::vector<uint8_t> bytes(BytesBeyondCache(), 1);
  uint64_t sum = 0;
  c.read_gbs = Best([&] {
    sum += ReadWork(bytes);
    return static_cast<double>(bytes.size());
  });
  benchmark::DoNotOptimize(sink);
  benchmark::DoNotOptimize(sum);
  return c;
}

}  // namespace

const Ceilings& ThreadCeilings() {
  static const Ceilings ceilings = Measure();
  return ceilings;
}

void Count(benchmark::State& state, double operations, double bytes, double ceiling) {
  const double giga = 1e-9 * static_cast<double>(state.iterations());
  const auto rate = benchmark::Counter::kIsRate;
  if (operations != 0.0) state.counters["GFLOP/s"] = {operations * giga, rate};
  if (bytes != 0.0) state.counters["GB/s"] = {bytes * giga, rate};
  const double counted = operations != 0.0 ? operations : bytes;
  state.counters["%ceiling"] = {100.0 * counted * giga / ceiling, rate};
}

}  // namespace smallmind
