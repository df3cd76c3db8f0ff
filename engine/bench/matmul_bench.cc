// Quantised matrix products per type and shape, as a share of the thread's ceiling: operations (two
// a multiply-add) of int8 dots, or weight bytes of plain reading.
//
// matvec walks a set of matrices larger than any cache, one token at a time and with the next one
// planned: what decoding does.
// matmul keeps one matrix and 128 tokens: what prefill does. One thread; sums over threads are the
// engine's business.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "engine/bench/bench_ceilings.h"
#include "engine/kernels/acts.h"
#include "engine/kernels/matmul.h"
#include "engine/kernels/targets.h"
#include "engine/runtime/memory_size.h"
#include "engine/tensor/dtype.h"

namespace smallmind {
namespace {

struct Shape {
  size_t rows, cols;
};
// TinyLlama-1.1B's square, up and down projections; SmolLM2-135M's.
constexpr Shape kShapes[] = {{2048, 2048}, {5632, 2048}, {2048, 5632},
                             {576, 576},   {1536, 576},  {576, 1536}};
constexpr DType kTypes[] = {DType::kQ8_0, DType::kQ4_0,   DType::kQ4_1,   DType::kQ5_0,
                            DType::kQ5_1, DType::kIQ4_NL, DType::kIQ4_XS, DType::kQ4_K,
                            DType::kQ5_K, DType::kQ6_K,   DType::kQ3_K,   DType::kQ2_K};

struct Operands {
  std::vector<uint8_t> weights;
  std::vector<uint8_t> acts;
  std::vector<uint8_t> scratch;
  std::vector<float> out;
  size_t stride;

  static uint8_t* Align(std::vector<uint8_t>& v) {
    return v.data() + (64 - reinterpret_cast<uintptr_t>(v.data()) % 64) % 64;
  }
  Operands(DType type, Shape shape, size_t matrices, size_t tokens)
      : weights(RowBytes(type, shape.cols) * shape.rows * matrices),
        acts(QuantRowStride(shape.cols) * tokens + 64),
        scratch(MatMulScratchBytes(shape.cols) + 64),
        out(shape.rows * tokens),
        stride(QuantRowStride(shape.cols)) {
    // Speed does not depend on values, as long as no scale is a NaN or subnormal: 0x2b2b is 0.056.
    std::memset(weights.data(), 0x2b, weights.size());
    std::mt19937 rng(1);
    std::normal_distribution<float> normal;
    std::vector<float> x(shape.cols);
    for (size_t t = 0; t < tokens; ++t) {
      for (float& v : x) v = normal(rng);
      QuantizeRow(x.data(), shape.cols, Align(acts) + t * stride);
    }
  }
};

void MatVec(benchmark::State& state, DType type, Shape shape, size_t tokens, size_t total_bytes) {
  const size_t row_bytes = RowBytes(type, shape.cols), bytes = row_bytes * shape.rows;
  const size_t matrices = total_bytes / bytes + 1;
  Operands o(type, shape, matrices, tokens);
  const auto view = [&](size_t i) {
    return WeightView{type, o.weights.data() + i % matrices * bytes, shape.rows, shape.cols,
                      row_bytes};
  };
  // From memory a row is judged by its bytes, in a cache by its operations.
  const bool streams = total_bytes != 0;
  FetchStream plan(FetchStream::kFirstLead);
  FetchStream* fetch = streams ? &plan : nullptr;
  if (streams) plan.Push(view(0).Bytes(0, shape.rows));
  size_t next = 0;
  for (auto _ : state) {
    const WeightView w = view(next++);
    if (streams) plan.Push(view(next).Bytes(0, shape.rows));
    MatMul(w, 0, shape.rows, QuantRows{Operands::Align(o.acts), tokens, shape.cols, o.stride},
           o.out.data(), shape.rows, {Operands::Align(o.scratch), MatMulScratchBytes(shape.cols)},
           fetch);
    benchmark::ClobberMemory();
  }
  Count(state, streams ? 0.0 : 2.0 * static_cast<double>(shape.rows * shape.cols * tokens),
        streams ? static_cast<double>(bytes) : 0.0,
        streams ? ThreadCeilings().read_gbs : ThreadCeilings().int8_gops);
}

void RegisterAll() {
  for (const DType type : kTypes) {
    for (const Shape shape : kShapes) {
      if (shape.cols % Info(type).block_elems != 0) continue;
      const std::string tail = "/" + std::string(Info(type).name) + "/" +
                               std::to_string(shape.rows) + "x" + std::to_string(shape.cols);
      const auto add = [&](const std::string& name, size_t tokens, size_t total) {
        benchmark::RegisterBenchmark((name + tail).c_str(), MatVec, type, shape, tokens, total);
      };
      add("matvec", 1, BytesBeyondCache());
      add("matvec_cached", 1, 0);
      add("matmul4", 4, 0);
      add("matmul16", 16, 0);
      add("matmul128", 128, 0);
    }
  }
}

}  // namespace
}  // namespace smallmind

int main(int argc, char** argv) {
  benchmark::AddCustomContext("highway_target", smallmind::ChosenTarget());
  smallmind::RegisterAll();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
