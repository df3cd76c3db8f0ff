// The machine's ceilings, per thread count: float32 FMA, int8 dots, BF16 dots, memory reads. Wall
// time.
#include <benchmark/benchmark.h>

#include <vector>

#include "engine/kernels/ceilings.h"
#include "engine/runtime/memory_size.h"

namespace smallmind {
namespace {

void Arithmetic(benchmark::State& state, CeilingWork (*work)(size_t)) {
  double operations = 0.0;
  for (auto _ : state) {
    const CeilingWork done = work(100'000);
    benchmark::DoNotOptimize(done.sink);
    operations += done.operations;
  }
  state.counters["GOP/s"] = {operations * 1e-9, benchmark::Counter::kIsRate};
}

void Read(benchmark::State& state) {
  const std::vector<uint8_t> bytes(BytesBeyondCache() / static_cast<size_t>(state.threads()), 1);
  double read = 0.0;
  for (auto _ : state) {
    uint64_t sum = ReadWork(bytes);
    benchmark::DoNotOptimize(sum);
    read += static_cast<double>(bytes.size());
  }
  state.counters["GB/s"] = {read * 1e-9, benchmark::Counter::kIsRate};
}

BENCHMARK_CAPTURE(Arithmetic, fma_f32, FmaWork)->ThreadRange(1, 4)->UseRealTime();
BENCHMARK_CAPTURE(Arithmetic, dot_int8, Int8DotWork)->ThreadRange(1, 4)->UseRealTime();
BENCHMARK_CAPTURE(Arithmetic, dot_bf16, Bf16DotWork)->ThreadRange(1, 4)->UseRealTime();
BENCHMARK(Read)->ThreadRange(1, 4)->UseRealTime();

}  // namespace
}  // namespace smallmind

BENCHMARK_MAIN();
