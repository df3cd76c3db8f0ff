// Plain tables: llama-bench's JSON lines, CSV of the samples, Markdown of the comparison.
// llama.cpp's own compare-llama-bench.py refuses lines without any of its key fields, so those that
// mean nothing here have the value that "not used" has there.
#include <cmath>

#include "harness/export/formats.h"
#include "harness/report/sections.h"
#include "harness/strings.h"

namespace smallmind::harness {
namespace {

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

Json LlamaTest(const Run& run, const VariantInfo& variant, const ModelInfo& model,
               const Workload& w, bool prompt, const std::vector<double>& rates) {
  const int tokens = prompt ? w.prompt_tokens : w.gen_tokens;
  std::vector<double> ns;
  for (double rate : rates) ns.push_back(std::round(1e9 * tokens / rate));
  const auto sd = [](const std::vector<double>& v) {
    return v.size() < 2 ? 0.0 : stats::StandardDeviation(v);
  };
  return {{"build_commit", variant.git},
          {"build_number", 0},
          {"cpu_info", run.info.environment.cpu_model},
          {"gpu_info", ""},
          {"backends", variant.name},
          {"model_filename", model.path},
          {"model_type", model.arch + " " + model.weight_type},
          {"model_size", model.weight_bytes},
          {"model_n_params", model.params},
          {"n_batch", w.prompt_tokens},
          {"n_ubatch", w.prompt_tokens},
          {"n_threads", w.threads},
          {"cpu_mask", run.info.plan.pin},
          {"cpu_strict", false},
          {"poll", 0},
          {"type_k", "f16"},
          {"type_v", "f16"},
          {"n_gpu_layers", 0},
          {"split_mode", "none"},
          {"main_gpu", 0},
          {"no_kv_offload", false},
          {"flash_attn", false},
          {"tensor_split", "0.00"},
          {"tensor_buft_overrides", "none"},
          {"use_mmap", !w.repack},
          {"embeddings", false},
          {"no_op_offload", 0},
          {"n_prompt", prompt ? w.prompt_tokens : 0},
          {"n_gen", prompt ? 0 : w.gen_tokens},
          {"n_depth", prompt ? 0 : w.prompt_tokens},
          {"test_time", run.info.created},
          {"avg_ns", static_cast<int64_t>(stats::Mean(ns))},
          {"stddev_ns", static_cast<int64_t>(sd(ns))},
          {"avg_ts", stats::Mean(rates)},
          {"stddev_ts", sd(rates)},
          {"samples_ns", ns},
          {"samples_ts", rates}};
}

}  // namespace

std::vector<ExportFile> ExportLlamaBench(const Run& run) {
  const Series series(run.samples);
  std::string text;
  for (const Regime& regime : series.regimes()) {
    ModelInfo model;
    model.name = regime.model;
    for (const ModelInfo& m : run.info.models) {
      if (m.name == regime.model) model = m;
    }
    Workload workload;
    for (const Workload& w : run.info.workloads) {
      if (w.name == regime.workload) workload = w;
    }
    for (const VariantInfo& variant : run.info.variants) {
      for (const bool prompt : {true, false}) {
        const std::vector<double> rates = series.Values(
            variant.name, regime, prompt ? "prefill_tps" : "decode_tps", Cleanliness::kAll);
        if (!rates.empty())
          text += LlamaTest(run, variant, model, workload, prompt, rates).dump() + "\n";
      }
    }
  }
  return {{"llama-bench.jsonl", text}};
}

std::vector<ExportFile> ExportCsv(const Run& run) {
  std::string text =
      "id,round,position,attempt,warmup,variant,model,workload,layout,status,reason,contaminated,"
      "contamination";
  std::vector<std::string> metrics;
  for (const MetricDef& def : AllMetrics()) {
    if (def.scope != MetricScope::kSample) continue;
    metrics.emplace_back(def.name);
    text += "," + metrics.back();
  }
  text += "\n";
  for (const Sample& s : run.samples) {
    std::string causes;
    for (const std::string& cause : s.contamination) causes += (causes.empty() ? "" : "; ") + cause;
    text += std::to_string(s.id) + "," + std::to_string(s.round) + "," +
            std::to_string(s.position) + "," + std::to_string(s.attempt) + "," +
            (s.warmup ? "1," : "0,") + CsvField(s.variant) + "," + CsvField(s.model) + "," +
            CsvField(s.workload) + "," + std::to_string(s.layout) + "," + ToString(s.status) + "," +
            CsvField(s.reason) + "," + (s.contaminated ? "1," : "0,") + CsvField(causes);
    for (const std::string& metric : metrics) {
      text += ",";
      const auto found = s.metrics.find(metric);
      if (found == s.metrics.end()) continue;
      text += Print("%.9g", found->second);
    }
    text += "\n";
  }
  return {{"samples.csv", text}};
}

std::vector<ExportFile> ExportMarkdown(const Run& run, const Analysis& analysis) {
  Document document;
  document.title = "Build modes compared: " + run.info.id;
  document.sections = ResultSections(run.info, analysis);
  for (DocSection& section : document.sections) {
    std::erase_if(section.blocks,
                  [](const DocBlock& b) { return b.kind == DocBlock::Kind::kFigure; });
  }
  return {{"table.md", RenderMarkdown(document)}};
}

}  // namespace smallmind::harness
