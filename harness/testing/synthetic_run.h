// A run with known answers: variants with planted speeds, sizes, noise, drift and disturbances.
//
// No process, no clock: every value follows from the seed. Used by the tests of the analysis, the
// reports, the exporters and (written to a directory) the plots.
#pragma once

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "harness/load_run.h"
#include "harness/record.h"
#include "harness/stats/rng.h"

namespace smallmind::harness {

// What is planted in one variant, relative to a fictional reference engine.
struct Planted {
  std::string name;
  double speed = 1.0;  // factor on prefill and decode tok/s
  double startup_ms = 4.0;
  int64_t stripped_bytes = 2'000'000;
  std::string isa = "baseline", lto = "none", pgo = "none";
  std::string group = "core", guide_row;
  std::string token_hash = "aaaaaaaaaaaaaaaa", logits_hash = "bbbbbbbbbbbbbbbb";
  double slow_matmul = 1.0;   // factor on the time of matrix products alone
  double layout_sigma = 0.0;  // scatter between layouts, log space
};

struct SyntheticPlan {
  std::vector<Planted> variants;
  std::vector<std::string> models = {"stories15m-q8_0", "smollm2-135m-q8_0"};
  int rounds = 10;
  int layouts = 0;
  double noise = 0.01;  // of a process, log space
  double drift = 0.10;  // amplitude of the machine's slow wave, common to a round
  uint64_t seed = 1;
  // Contaminates (and slows by the factor returned) the samples for which it gives more than 1.
  std::function<double(int round, const std::string& variant)> hog;
};

// The regimes of a plan's usual models.
inline const Regime kSmall{"stories15m-q8_0", "p128-n32-t4"};
inline const Regime kLarge{"smollm2-135m-q8_0", "p128-n32-t4"};

inline Run MakeSyntheticRun(const SyntheticPlan& plan) {
  Run run;
  RunInfo& info = run.info;
  info.id = "synthetic";
  info.created = "2026-01-01T00:00:00Z";
  info.finished = "2026-01-01T00:05:00Z";
  info.status = RunStatus::kComplete;
  info.command = {"harness", "--variants", "all"};
  info.reference = plan.variants.front().name;
  info.environment.cpu_model = "Synthetic CPU";
  info.environment.logical_cpus = info.environment.usable_cpus = info.environment.physical_cores =
      4;
  info.environment.governor = info.environment.frequency = "unknown";
  info.environment.kernel = "Linux 0.0";
  info.environment.hardware_counters = "synthetic";
  info.environment.smt = info.environment.turbo = info.environment.aslr = "unknown";
  info.plan.seed = std::to_string(plan.seed);
  info.plan.order = "Williams squares";
  info.plan.min_rounds = info.plan.max_rounds = plan.rounds;
  info.plan.layouts = plan.layouts;
  info.plan.timers = true;
  info.rounds_done = plan.rounds;
  info.ceilings = {{"read_gbps", 4, 33.0, -1}, {"int8_gops", 4, 670.0, -1}};
  const Workload workload{"p128-n32-t4", 128, 32, 4, 3};
  info.workloads = {workload};
  stats::Rng rng(plan.seed);

  for (const Planted& p : plan.variants) {
    VariantInfo v;
    v.name = p.name;
    v.title = p.name;
    v.toolchain = "gcc";
    v.compiler = "GCC 12.2.0";
    v.flags = "-O2";
    v.isa = p.isa;
    v.lto = p.lto;
    v.pgo = p.pgo;
    v.group = p.group;
    v.guide_row = p.guide_row;
    v.dispatch = p.isa == "native" ? "static" : "dynamic";
    v.target = "AVX3_ZEN4";
    v.size.stripped_bytes = p.stripped_bytes;
    v.size.file_bytes = p.stripped_bytes + 400'000;
    v.size.text_bytes = p.stripped_bytes * 7 / 10;
    v.size.sections = {{".text", p.stripped_bytes * 7 / 10},
                       {".rodata", p.stripped_bytes / 5},
                       {".eh_frame", p.stripped_bytes / 20},
                       {".data.rel.ro", p.stripped_bytes / 40}};
    info.variants.push_back(v);
  }
  for (const std::string& model : plan.models) {
    ModelInfo m;
    m.name = model;
    m.arch = "llama";
    m.weight_type = "Q8_0";
    const bool small = model.find("stories") == 0;
    m.params = small ? 15'000'000 : 134'515'008;
    m.weight_bytes = small ? 16'000'000 : 142'900'000;
    m.file_bytes = m.weight_bytes + 1'500'000;
    info.models.push_back(m);
  }

  int64_t id = 0;
  std::vector<std::vector<double>> layout_effect(plan.variants.size());
  for (size_t v = 0; v < plan.variants.size(); ++v) {
    for (int l = 0; l <= plan.layouts; ++l) {
      layout_effect[v].push_back(l == 0 ? 1.0
                                        : std::exp(plan.variants[v].layout_sigma * rng.Normal()));
    }
  }
  for (int round = 0; round < plan.rounds; ++round) {
    const double wave = std::exp(plan.drift * std::sin(0.7 * round));
    for (const std::string& model : plan.models) {
      const bool small = model.find("stories") == 0;
      const double base_decode = small ? 1500.0 : 170.0, base_prefill = small ? 9000.0 : 1200.0;
      for (size_t v = 0; v < plan.variants.size(); ++v) {
        for (int layout = plan.layouts > 0 ? 1 : 0; layout <= plan.layouts; ++layout) {
          const Planted& p = plan.variants[v];
          Sample s;
          s.id = id++;
          s.round = round;
          s.position = static_cast<int>(v);
          s.variant = p.name;
          s.model = model;
          s.workload = workload.name;
          s.layout = layout;
          s.target = "AVX3_ZEN4";
          s.start_unix = 1767225600.0 + static_cast<double>(id);
          const double hog = plan.hog ? plan.hog(round, p.name) : 1.0;
          if (hog > 1.0) {
            s.contaminated = true;
            s.contamination = {"steal 7.5 %", "involuntary switches 812 a second"};
          }
          const auto jitter = [&] { return std::exp(plan.noise * rng.Normal()); };
          // Four fifths of the time is the product's: slower there is slower in all.
          const double slower = 1.0 + 0.8 * (p.slow_matmul - 1.0);
          const double speed =
              p.speed * wave / hog / slower * layout_effect[v][static_cast<size_t>(layout)];
          const double decode = base_decode * speed * jitter(),
                       prefill = base_prefill * speed * jitter();
          const double startup = p.startup_ms / wave * hog * jitter();
          const double itl = 1000.0 / decode, prefill_ms = 128000.0 / prefill;
          s.metrics = {{"startup_ms", startup},
                       {"ttft_cold_ms", startup + 1.3 * prefill_ms},
                       {"ttft_ms", prefill_ms + 0.2},
                       {"prefill_tps", prefill},
                       {"decode_tps", decode},
                       {"itl_p50_ms", itl},
                       {"itl_p95_ms", itl * 1.1},
                       {"itl_p99_ms", itl * 1.3},
                       {"peak_rss_mib", (small ? 30.0 : 165.0) + p.startup_ms / 10.0},
                       {"rss_anon_mib", small ? 8.0 : 20.0},
                       {"rss_file_mib", small ? 20.0 : 140.0}};
          s.phases = {
              {"loaded_ms", startup * 0.25}, {"exec_to_main_ms", startup * 0.3},
              {"mapped_ms", startup * 0.5},  {"tokenizer_ms", startup * 0.8},
              {"ready_ms", startup},         {"first_token_ms", startup + 1.3 * prefill_ms}};
          for (int r = 0; r < 3; ++r) {
            Rep rep{r,
                    128,
                    32,
                    static_cast<int64_t>(prefill_ms * 1e6),
                    static_cast<int64_t>(31 * itl * 1e6),
                    static_cast<int64_t>((prefill_ms + 0.2) * 1e6),
                    {}};
            for (int t = 0; t < 31; ++t) {
              rep.itl_ns.push_back(static_cast<int64_t>(itl * 1e6 * std::exp(0.05 * rng.Normal())));
            }
            s.reps.push_back(rep);
          }
          const double kernels_ns = 3e6 * (prefill_ms + 31 * itl) / slower;
          s.kernels = {{"matmul", {4000, static_cast<int64_t>(0.8 * p.slow_matmul * kernels_ns)}},
                       {"attention", {400, static_cast<int64_t>(0.1 * kernels_ns)}},
                       {"norm", {800, static_cast<int64_t>(0.02 * kernels_ns)}}};
          s.hashes = {{"token", p.token_hash}, {"logits", p.logits_hash}};
          s.faults = {{"minor", 900},           {"major", 0},           {"minor_at_loaded", 100},
                      {"major_at_loaded", 0},   {"minor_at_main", 120}, {"major_at_main", 0},
                      {"minor_at_mapped", 200}, {"major_at_mapped", 1}};
          s.switches = {{"voluntary", 60}, {"involuntary", hog > 1.0 ? 812 : 4}};
          s.system = {{"steal_pct", hog > 1.0 ? 7.5 : 0.1},
                      {"procs_running", 4.0},
                      {"calibration_ns", 1.0e7 / wave * (hog > 1.0 ? 1.05 : 1.0)}};
          s.wall_ns = static_cast<int64_t>((startup + 4 * prefill_ms + 93 * itl) * 1e6);
          run.samples.push_back(std::move(s));
        }
      }
    }
  }
  info.samples = static_cast<int64_t>(run.samples.size());
  return run;
}

// The 2x2x2 of native x LTO x PGO with the guide's rows; effects multiply, but for `interaction` on
// LTO x PGO.
inline std::vector<Planted> FactorialVariants(double native = 1.25, double lto = 1.02,
                                              double pgo = 1.08, double interaction = 1.0) {
  std::vector<Planted> rows;
  const char* names[] = {"o2",     "pgo",        "lto",        "lto-pgo",
                         "native", "native-pgo", "native-lto", "production"};
  for (int i = 0; i < 8; ++i) {
    const bool n = (i & 4) != 0, l = (i & 2) != 0, p = (i & 1) != 0;
    Planted row;
    row.name = names[i];
    row.speed =
        (n ? native : 1.0) * (l ? lto : 1.0) * (p ? pgo : 1.0) * (l && p ? interaction : 1.0);
    row.isa = n ? "native" : "baseline";
    row.lto = l ? "full" : "none";
    row.pgo = p ? "use" : "none";
    row.stripped_bytes = 2'000'000 - (n ? 600'000 : 0) - (l ? 100'000 : 0) + (p ? 50'000 : 0);
    row.startup_ms = 4.0 - (n ? 0.3 : 0.0);
    rows.push_back(row);
  }
  rows[0].guide_row = "JIT";
  rows[4].guide_row = "NativeAOT";
  rows[5].guide_row = "NativeAOT + PGO";
  rows[7].guide_row = "production";
  rows[5].group = rows[7].group = "guide";
  Planted tier0;
  tier0.name = "tier0";
  tier0.speed = 0.05;
  tier0.startup_ms = 30.0;
  tier0.stripped_bytes = 5'000'000;
  tier0.group = "guide";
  tier0.guide_row = "JIT, Tier-0";
  rows.push_back(tier0);
  return rows;
}

// run.json and samples.jsonl in `directory`, which is created.
inline void WriteSyntheticRun(const Run& run, const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "run.json") << Json(run.info).dump(1) << "\n";
  std::ofstream lines(directory / "samples.jsonl");
  for (const Sample& s : run.samples) lines << Json(s).dump() << "\n";
}

}  // namespace smallmind::harness
