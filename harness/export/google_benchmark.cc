// compare.py matches benchmarks of two files by name and takes every sample as one repetition; it
// needs at least nine for its U test. Times are a token's (decode, prefill) or the whole (startup,
// TTFT). The format wants a cpu_time; the harness measures wall time alone, so it repeats real_time
// there.
#include <map>

#include "harness/export/formats.h"

namespace smallmind::harness {
namespace {

struct Timing {
  const char* benchmark;
  const char* metric;
  bool rate;  // tokens/s, exported as ns a token
};

constexpr Timing kTimings[] = {{"decode", "decode_tps", true},
                               {"prefill", "prefill_tps", true},
                               {"ttft", "ttft_ms", false},
                               {"ttft_cold", "ttft_cold_ms", false},
                               {"startup", "startup_ms", false}};

Json Context(const RunInfo& info, const VariantInfo& variant) {
  Json load = Json::array();
  for (const char* window : {"1m", "5m", "15m"}) {
    const auto found = info.environment.load.find(window);
    if (found != info.environment.load.end()) load.push_back(found->second);
  }
  return {{"date", info.created},
          {"host_name", info.environment.hostname_hash},
          {"executable", variant.name},
          {"num_cpus", info.environment.logical_cpus},
          {"mhz_per_cpu", 0},
          {"cpu_scaling_enabled", false},
          {"caches", Json::array()},
          {"load_avg", load},
          {"library_version", variant.git},
          {"library_build_type", "release"},
          {"json_schema_version", 1}};
}

}  // namespace

std::vector<ExportFile> ExportGoogleBenchmark(const Run& run) {
  std::vector<ExportFile> files;
  const Series series(run.samples);
  for (const VariantInfo& variant : run.info.variants) {
    Json benchmarks = Json::array();
    int family = 0;
    for (const Regime& regime : series.regimes()) {
      const std::vector<const Sample*> cell = series.Cell(variant.name, regime);
      int threads = 1;
      for (const Workload& w : run.info.workloads) {
        if (w.name == regime.workload) threads = w.threads;
      }
      for (const Timing& timing : kTimings) {
        std::vector<double> values;
        for (const Sample* s : cell) {
          const auto found = s->metrics.find(timing.metric);
          if (found != s->metrics.end() && found->second > 0.0) values.push_back(found->second);
        }
        const std::string name =
            std::string(timing.benchmark) + "/" + regime.model + "/" + regime.workload;
        for (size_t i = 0; i < values.size(); ++i) {
          const double ns = timing.rate ? 1e9 / values[i] : values[i] * 1e6;
          Json row = {
              {"name", name},          {"family_index", family},  {"per_family_instance_index", 0},
              {"run_name", name},      {"run_type", "iteration"}, {"repetitions", values.size()},
              {"repetition_index", i}, {"threads", threads},      {"iterations", 1},
              {"real_time", ns},       {"cpu_time", ns},          {"time_unit", "ns"}};
          if (timing.rate) row["items_per_second"] = values[i];
          benchmarks.push_back(std::move(row));
        }
        if (!values.empty()) ++family;
      }
    }
    if (benchmarks.empty()) continue;
    files.push_back(
        {SafeFileName(variant.name) + ".json",
         Json{{"context", Context(run.info, variant)}, {"benchmarks", benchmarks}}.dump(1) + "\n"});
  }
  return files;
}

}  // namespace smallmind::harness
