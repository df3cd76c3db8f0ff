// Attention as the engine calls it: a prompt in tasks of 16 tokens and one KV head, and one decoded
// token over the caches of every layer and KV head, which are too many for the nearer caches.
// Operations: two a multiply-add for scores and for the weighted sum, over visible positions only.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "engine/bench/bench_ceilings.h"
#include "engine/kernels/attention.h"

namespace smallmind {
namespace {

struct Heads {
  const char* model;
  size_t dim, group, caches;  // query heads a KV head; KV heads of all layers
};
constexpr Heads kHeads[] = {
    {"TinyLlama-1.1B", 64, 8, 4 * 22}, {"SmolLM2-135M", 64, 3, 3 * 30}, {"128", 128, 4, 8 * 8}};
constexpr size_t kTaskTokens = 16;

// `caches` caches of `positions`, one after the other; tokens [first, first + tokens) in tasks.
void Run(benchmark::State& state, Heads heads, DType type, size_t first, size_t tokens,
         size_t caches) {
  const size_t positions = first + tokens, row = RowBytes(type, heads.dim);
  std::mt19937 rng(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(heads.dim);
  std::vector<uint8_t> k(caches * positions * row), v(k.size());
  for (size_t p = 0; p < caches * positions; ++p) {
    for (float& e : x) e = normal(rng);
    StoreKv(type, x.data(), heads.dim, &k[p * row]);
    StoreKv(type, x.data(), heads.dim, &v[p * row]);
  }
  const size_t n = tokens * heads.group;
  std::vector<float> q(n * heads.dim), out(n * heads.dim);
  for (float& e : q) e = normal(rng);
  std::vector<AttentionQuery> queries;
  double visible = 0.0;
  for (size_t i = 0; i < n; ++i) {
    const size_t pos = first + i / heads.group;
    queries.push_back({&q[i * heads.dim], &out[i * heads.dim], 0, pos});
    visible += static_cast<double>(pos + 1);
  }
  const float scale = 1.0f / std::sqrt(static_cast<float>(heads.dim));
  const AttentionShape shape{heads.dim, heads.dim, scale, 0.0f};
  const size_t task = std::min(n, kTaskTokens * heads.group);
  std::vector<uint8_t> scratch(AttentionScratchBytes(heads.dim, heads.dim, task) + 64);
  uint8_t* aligned = scratch.data() + (-reinterpret_cast<uintptr_t>(scratch.data()) & 63);
  size_t cache = 0;
  for (auto _ : state) {
    const size_t at = cache * positions * row;
    const KvHeadView kv{type, &k[at], &v[at], row, row};
    for (size_t i = 0; i < n; i += task) {
      Attention(shape, kv, std::span(queries).subspan(i, std::min(task, n - i)),
                {aligned, scratch.size() - 64});
    }
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
    cache = (cache + 1) % caches;
  }
  Count(state, 4.0 * visible * static_cast<double>(heads.dim),
        2.0 * static_cast<double>(positions * row), ThreadCeilings().fma_gflops);
}

void RegisterAll() {
  for (const Heads heads : kHeads) {
    for (const DType type : {DType::kF32, DType::kF16, DType::kQ8_0}) {
      const std::string name = std::string(heads.model) + "/" + std::string(Info(type).name);
      const auto add = [&](const std::string& what, size_t first, size_t tokens, size_t caches) {
        benchmark::RegisterBenchmark((what + "/" + name).c_str(), [=](benchmark::State& state) {
          Run(state, heads, type, first, tokens, caches);
        });
      };
      add("prefill512", 0, 512, 1);
      add("prefill128", 0, 128, 1);
      add("decode1024", 1023, 1, heads.caches);
      add("decode1024_cached", 1023, 1, 1);
    }
  }
}

}  // namespace
}  // namespace smallmind

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  smallmind::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
