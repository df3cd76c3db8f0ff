// Attention over one KV head: prefill of a prompt (all its query heads) and one decoded token with
// a long context. Operations: two a multiply-add for scores and for the weighted sum, over visible
// positions only.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "engine/bench/bench_ceilings.h"
#include "engine/kernels/attention.h"

namespace smallmind {
namespace {

struct Heads {
  const char* model;
  size_t dim, group, kv_heads;  // query heads a KV head
};
constexpr Heads kHeads[] = {
    {"TinyLlama-1.1B", 64, 8, 4}, {"SmolLM2-135M", 64, 3, 3}, {"128", 128, 4, 8}};

void Run(benchmark::State& state, Heads heads, DType type, size_t first_pos, size_t tokens) {
  const size_t positions = first_pos + tokens, row = RowBytes(type, heads.dim);
  const size_t stride = row;  // a KV head's positions follow each other
  std::mt19937 rng(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(heads.dim);
  std::vector<uint8_t> k(positions * stride), v(positions * stride);
  for (size_t p = 0; p < positions; ++p) {
    for (float& e : x) e = normal(rng);
    StoreKv(type, x.data(), heads.dim, &k[p * stride]);
    StoreKv(type, x.data(), heads.dim, &v[p * stride]);
  }
  const size_t n = tokens * heads.group;
  std::vector<float> q(n * heads.dim), out(n * heads.dim);
  for (float& e : q) e = normal(rng);
  std::vector<AttentionQuery> queries;
  double visible = 0.0;
  for (size_t i = 0; i < n; ++i) {
    const size_t pos = first_pos + i / heads.group;
    queries.push_back({&q[i * heads.dim], &out[i * heads.dim], 0, pos});
    visible += static_cast<double>(pos + 1);
  }
  const float scale = 1.0f / std::sqrt(static_cast<float>(heads.dim));
  const AttentionShape shape{heads.dim, heads.dim, scale, 0.0f};
  std::vector<uint8_t> scratch(AttentionScratchBytes(heads.dim, heads.dim, n) + 64);
  uint8_t* aligned = scratch.data() + (-reinterpret_cast<uintptr_t>(scratch.data()) & 63);
  const KvHeadView kv{type, k.data(), v.data(), stride, stride};
  for (auto _ : state) {
    Attention(shape, kv, queries, {aligned, scratch.size() - 64});
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  Count(state, 4.0 * visible * static_cast<double>(heads.dim),
        2.0 * static_cast<double>(positions * row), ThreadCeilings().fma_gflops);
}

void RegisterAll() {
  for (const Heads heads : kHeads) {
    for (const DType type : {DType::kF32, DType::kF16, DType::kQ8_0}) {
      const std::string name = std::string(heads.model) + "/" + std::string(Info(type).name);
      const auto add = [&](const std::string& what, size_t first, size_t tokens) {
        benchmark::RegisterBenchmark((what + "/" + name).c_str(), [=](benchmark::State& state) {
          Run(state, heads, type, first, tokens);
        });
      };
      add("prefill512", 0, 512);
      add("prefill128", 0, 128);
      add("decode1024", 1023, 1);
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
