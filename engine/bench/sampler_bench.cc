// Sampling one token from a vocabulary of 32,000 and of 150,000 logits, a chain a row.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "engine/base/rng.h"
#include "engine/sampler/sampler.h"

namespace smallmind {
namespace {

void Sample(benchmark::State& state, const SamplerOptions& options) {
  Rng rng(1);
  std::vector<float> logits(static_cast<size_t>(state.range(0)));
  for (float& x : logits) x = 4 * rng.Normal();
  std::vector<int32_t> history(256);
  for (int32_t& id : history) id = static_cast<int32_t>(rng.Below(logits.size()));
  Sampler sampler(options);
  std::vector<float> copy = logits;
  for (auto _ : state) {
    copy = logits;  // sampling changes them; the copy is a few per cent of the cheapest chain
    benchmark::DoNotOptimize(sampler.Sample(copy, history));
  }
}

SamplerOptions Only() {
  SamplerOptions o;
  o.top_k = 0;
  o.top_p = 1;
  o.min_p = 0;
  return o;
}

void Register() {
  const auto add = [](const std::string& name, const SamplerOptions& options) {
    benchmark::RegisterBenchmark(name.c_str(),
                                 [options](benchmark::State& state) { Sample(state, options); })
        ->Arg(32000)
        ->Arg(150000)
        ->Unit(benchmark::kMicrosecond);
  };
  SamplerOptions o = Only();
  o.temperature = 0;
  add("Greedy", o);
  add("Default", SamplerOptions{});
  o = Only();
  add("Temperature", o);
  o.top_p = 0.95f;
  add("TopP", o);
  o = Only();
  o.min_p = 0.05f;
  add("MinP", o);
  o = Only();
  o.typical_p = 0.9f;
  add("Typical", o);
  o = SamplerOptions{};
  o.repeat_penalty = 1.1f;
  add("DefaultWithPenalties", o);
}

}  // namespace
}  // namespace smallmind

int main(int argc, char** argv) {
  smallmind::Register();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
