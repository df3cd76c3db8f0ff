// How near the machine's ceilings a variant runs, and so whether faster code can still help.
//
// Decode reads the weights a token multiplies, once for all sequences decoded together, and the
// keys and values of the positions before it: bytes a token x tokens/s against the measured read
// bandwidth. Prefill multiplies: the prompt token's operations x tokens/s against the measured
// ceiling of the weights' arithmetic (int8 dots, for BF16 its own, for F16 and F32 FMA). The engine
// says both; of a record without them, all weights stand in. Ceilings drift as the machine does, so
// the share is a ratio within each round, where the round's ceiling is known.
#pragma once

#include <string>
#include <vector>

#include "harness/analysis/comparison.h"

namespace smallmind::harness {

enum class Bound { kMemory, kCompute, kCache, kOverhead, kUnknown };

struct RooflinePoint {
  std::string variant;
  Regime regime;
  std::string work;          // "decode" | "prefill"
  double achieved = 0.0;     // GB/s or GOP/s
  double ceiling = 0.0;      // the same unit; 0 where not measured
  std::string ceiling_name;  // read_gbps | int8_gops | bf16_gflops | fma_gflops
  stats::Interval fraction;  // achieved / ceiling
  double intensity = 0.0;    // operations a byte of weights
  Bound bound = Bound::kUnknown;
  std::string sentence;
};

// Near a ceiling from here on: what is left, at most 1 / 0.8, is no flag's to give.
inline constexpr double kNearCeiling = 0.8;
inline constexpr double kFarFromCeiling = 0.25;

std::vector<RooflinePoint> PlaceOnRoofline(const RunInfo& run, const Series& series,
                                           const std::vector<MetricSummary>& summaries);

// Bytes of the largest cache that the environment names (L3, else L2); 0 where unknown. "32 MiB x
// 2" counts one instance.
int64_t LastLevelCacheBytes(const Environment& environment);

std::string ToString(Bound bound);
void to_json(Json& json, const RooflinePoint& point);

}  // namespace smallmind::harness
