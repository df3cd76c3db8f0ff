// Vector operations at the widths of real models: a hidden row, a feed-forward row, a head. GB/s of
// floats read and written in cache.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <vector>

#include "engine/bench/bench_ceilings.h"
#include "engine/kernels/ops.h"

namespace smallmind {
namespace {

std::vector<float> Random(size_t n) {
  std::mt19937 rng(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(n);
  for (float& v : x) v = normal(rng);
  return x;
}

// Runs op(x, y, n, out) and counts `arrays` streams of n floats.
template <class Op>
void Run(benchmark::State& state, int arrays, Op op) {
  const size_t n = static_cast<size_t>(state.range(0));
  const std::vector<float> x = Random(n), y = Random(n);
  std::vector<float> out = x;
  for (auto _ : state) {
    op(x.data(), y.data(), n, out.data());
    benchmark::ClobberMemory();
  }
  state.counters["GB/s"] = {
      4e-9 * arrays * static_cast<double>(n) * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate};
  state.counters["ns/elem"] = {
      static_cast<double>(n) * static_cast<double>(state.iterations()) * 1e-9,
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert};
}

using F = const float*;

void RmsNormRow(benchmark::State& s) {
  Run(s, 3, [](F x, F y, size_t n, float* out) { RmsNorm(x, y, n, 1e-5f, out); });
}
void LayerNormRow(benchmark::State& s) {
  Run(s, 4, [](F x, F y, size_t n, float* out) { LayerNorm(x, y, y, n, 1e-5f, out); });
}
void AddRow(benchmark::State& s) {
  Run(s, 3, [](F, F y, size_t n, float* out) { AddInPlace(out, y, n); });
}
void SiluMulRow(benchmark::State& s) {
  Run(s, 3, [](F x, F y, size_t n, float* out) { SiluMul(x, y, n, out); });
}
void GeluTanhMulRow(benchmark::State& s) {
  Run(s, 3, [](F x, F y, size_t n, float* out) { GeluTanhMul(x, y, n, out); });
}
void SoftmaxRow(benchmark::State& s) {
  Run(s, 2, [](F x, F, size_t n, float* out) {
    std::copy(x, x + n, out);
    Softmax(out, n);
  });
}
void ArgMaxOfLogits(benchmark::State& s) {
  Run(s, 1, [](F x, F, size_t n, float*) { benchmark::DoNotOptimize(ArgMax(x, n)); });
}
// Turned in place again and again, by an angle: the length stays what it is.
struct Turn {
  explicit Turn(size_t n) : cosines(n, std::cos(1.0f)), sines(n, std::sin(1.0f)) {}
  std::vector<float> cosines, sines;
};
void RopeNeoxHead(benchmark::State& s) {
  const Turn turn(static_cast<size_t>(s.range(0)));
  Run(s, 2, [&](F, F, size_t n, float* out) {
    RopeNeox(out, n, turn.cosines.data(), turn.sines.data());
  });
}
void RopeInterleavedHead(benchmark::State& s) {
  const Turn turn(static_cast<size_t>(s.range(0)));
  Run(s, 2, [&](F, F, size_t n, float* out) {
    RopeInterleaved(out, n, turn.cosines.data(), turn.sines.data());
  });
}

BENCHMARK(RmsNormRow)->Arg(576)->Arg(2048);
BENCHMARK(LayerNormRow)->Arg(768);
BENCHMARK(AddRow)->Arg(576)->Arg(2048);
BENCHMARK(SiluMulRow)->Arg(1536)->Arg(5632);
BENCHMARK(GeluTanhMulRow)->Arg(9216);
BENCHMARK(SoftmaxRow)->Arg(64)->Arg(1024);
BENCHMARK(ArgMaxOfLogits)->Arg(32000)->Arg(151936);
BENCHMARK(RopeNeoxHead)->Arg(64)->Arg(128);
BENCHMARK(RopeInterleavedHead)->Arg(64)->Arg(128);

}  // namespace
}  // namespace smallmind

BENCHMARK_MAIN();
