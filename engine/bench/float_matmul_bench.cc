// F32, F16 and BF16 matrix products. matvec walks matrices larger than any cache, one token at a
// time and with the next one planned (what decoding does; ceiling: memory reads); matvec_cached
// keeps one matrix, matmul one and 128 tokens (prefill; ceiling: FMA, for BF16 its dots). One
// thread.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "engine/bench/bench_ceilings.h"
#include "engine/kernels/matmul.h"
#include "engine/model/act_buffer.h"
#include "engine/runtime/aligned_buffer.h"
#include "engine/runtime/memory_size.h"

namespace smallmind {
namespace {

struct Shape {
  size_t rows, cols;
};
// TinyLlama-1.1B's and SmolLM2-135M's projections.
constexpr Shape kShapes[] = {{2048, 2048}, {5632, 2048}, {2048, 5632},
                             {576, 576},   {1536, 576},  {576, 1536}};

void Run(benchmark::State& state, DType type, Shape shape, size_t tokens, size_t total_bytes) {
  const size_t row_bytes = RowBytes(type, shape.cols), bytes = row_bytes * shape.rows;
  const size_t matrices = total_bytes / bytes + 1;
  // Speed does not depend on values, as long as none is a NaN or subnormal.
  const std::vector<uint8_t> weights(bytes * matrices, 0x2b);
  std::mt19937 rng(1);
  std::normal_distribution<float> normal;
  std::vector<float> out(tokens * shape.rows);
  ActBuffer acts;
  acts.Reserve(tokens, shape.cols, ActForms::For(type), tokens > 1);
  for (size_t t = 0; t < tokens; ++t) {
    std::generate_n(acts.Row(t), shape.cols, [&] { return normal(rng); });
    acts.Quantise(t, 0, shape.cols);
  }
  const FloatRows rows = acts.Floats(0, tokens, type);
  AlignedBuffer<uint8_t> scratch;
  scratch.Reserve(MatMulScratchBytes(shape.cols));
  const auto view = [&](size_t i) {
    return WeightView{type, weights.data() + i % matrices * bytes, shape.rows, shape.cols,
                      row_bytes};
  };
  const bool streams = total_bytes != 0;
  FetchStream plan(FetchStream::kFirstLead);
  if (streams) plan.Push(view(0).Bytes(0, shape.rows));
  size_t next = 0;
  for (auto _ : state) {
    const WeightView w = view(next++);
    if (streams) plan.Push(view(next).Bytes(0, shape.rows));
    MatMul(w, 0, shape.rows, rows, out.data(), shape.rows,
           {scratch.data(), MatMulScratchBytes(shape.cols)}, streams ? &plan : nullptr);
    benchmark::ClobberMemory();
  }
  const Ceilings& top = ThreadCeilings();
  const double operations = 2.0 * static_cast<double>(shape.rows * shape.cols * tokens);
  if (tokens == 1) {
    Count(state, 0.0, static_cast<double>(bytes), top.read_gbs);
  } else {
    Count(state, operations, 0.0, type == DType::kBF16 ? top.bf16_gflops : top.fma_gflops);
  }
}

void RegisterAll() {
  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16}) {
    for (const Shape shape : kShapes) {
      const std::string name = std::string(Info(type).name) + "/" + std::to_string(shape.rows) +
                               "x" + std::to_string(shape.cols);
      const auto add = [&](const char* what, size_t tokens, size_t total_bytes) {
        benchmark::RegisterBenchmark((what + name).c_str(), [=](benchmark::State& state) {
          Run(state, type, shape, tokens, total_bytes);
        });
      };
      add("matvec/", 1, BytesBeyondCache());
      add("matvec_cached/", 1, 0);
      add("matmul128/", 128, 0);
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
