// Two runs, of two machines or two commits. Their samples were not paired in time, so absolute
// values carry whatever else differed; what transfers is each variant's ratio to its own run's
// reference.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "harness/error.h"
#include "harness/load_run.h"
#include "harness/report.h"
#include "harness/report/sections.h"
#include "harness/report/text.h"

namespace smallmind::harness {
namespace {

constexpr std::pair<const char*, const char*> kColumns[] = {{"decode_tps", "decode tok/s"},
                                                            {"prefill_tps", "prefill tok/s"},
                                                            {"ttft_cold_ms", "cold TTFT ms"},
                                                            {"startup_ms", "startup ms"},
                                                            {"peak_rss_mib", "peak RSS MiB"}};

// Difference of two independent log-ratios; half-widths add in squares.
stats::LogRatio Change(const stats::LogRatio& a, const stats::LogRatio& b) {
  stats::LogRatio change;
  const double estimate = b.log.estimate - a.log.estimate;
  const double low = std::hypot(b.log.estimate - b.log.low, a.log.high - a.log.estimate);
  const double high = std::hypot(b.log.high - b.log.estimate, a.log.estimate - a.log.low);
  change.log = {estimate, estimate - low, estimate + high, a.log.level};
  return change;
}

// By the interval alone: the caption says that nothing is adjusted.
DocCell ChangeCell(const stats::LogRatio& change, const std::string& metric,
                   const AnalysisOptions& options) {
  const Verdict verdict = Judge(change, 0.0, FindMetric(metric)->direction, options);
  return DocCell::Number(change.Ratio(), RatioText(change) + " " + MarkOf(verdict),
                         ToneOf(verdict));
}

std::string Describe(const RunInfo& run) {
  return run.id + ": " + run.environment.cpu_model + ", commit " +
         (run.environment.git.empty() ? "unknown" : run.environment.git) + ", " + run.created +
         ", " + std::to_string(run.rounds_done) + " rounds, reference `" + run.reference + "`";
}

}  // namespace

Document BuildComparison(const RunInfo& first, const Analysis& a, const RunInfo& second,
                         const Analysis& b) {
  Document document;
  document.title = "Two runs side by side: " + first.id + " and " + second.id;
  DocSection about{"runs", "The two runs", {}};
  about.blocks.push_back(DocList{{"A: " + Describe(first), "B: " + Describe(second)}});
  about.blocks.push_back(
      DocParagraph{"Nothing here was measured in pairs across the two: absolute values differ by "
                   "machine, time and load. The ratio "
                   "to each run's own reference is what can be compared; its change is B over A "
                   "with the 95 % intervals of both.",
                   Tone::kDim});
  document.sections.push_back(std::move(about));
  for (const Regime& regime : a.regimes) {
    DocTable absolute, relative;
    absolute.caption = "Medians, A and B";
    relative.caption =
        "Ratio to the run's own reference, A, B and B / A. ▲ better, ▼ worse by its own 95 % "
        "interval, unadjusted: one in twenty equal cells bears one; = equal within " +
        PercentText(a.options.equal_within) + ", ? cannot tell";
    absolute.columns = relative.columns = {{"variant"}};
    for (const auto& [metric, title] : kColumns) {
      absolute.columns.push_back({std::string(title) + " A", true});
      absolute.columns.push_back({"B", true});
    }
    for (const char* title : {"decode", "prefill"}) {
      relative.columns.push_back({std::string(title) + " A", true});
      relative.columns.push_back({"B", true});
      relative.columns.push_back({"B / A", true});
    }
    for (const std::string& variant : a.variants) {
      if (b.Summary(variant, regime, "decode_tps") == nullptr) continue;
      std::vector<DocCell> row = {variant}, ratios = {variant};
      for (const auto& [metric, title] : kColumns) {
        for (const Analysis* side : {&a, &b}) {
          const MetricSummary* s = side->Summary(variant, regime, metric);
          row.push_back(s == nullptr
                            ? DocCell("-")
                            : DocCell::Number(s->median, Figure(s->median), Tone::kPlain,
                                              IntervalText(s->interval.low, s->interval.high)));
        }
      }
      absolute.rows.push_back(std::move(row));
      for (const char* metric : {"decode_tps", "prefill_tps"}) {
        const Comparison* x = a.Against(variant, regime, metric);
        const Comparison* y = b.Against(variant, regime, metric);
        for (const Comparison* c : {x, y}) {
          ratios.push_back(c == nullptr
                               ? DocCell(variant == a.reference ? "1" : "-")
                               : DocCell::Number(c->ratio().Ratio(), RatioText(c->ratio())));
        }
        ratios.push_back(x == nullptr || y == nullptr
                             ? DocCell("-")
                             : ChangeCell(Change(x->ratio(), y->ratio()), metric, a.options));
      }
      relative.rows.push_back(std::move(ratios));
    }
    if (absolute.rows.empty()) continue;
    DocSection section{"regime-" + std::to_string(document.sections.size()),
                       regime.model + ", " + regime.workload,
                       {}};
    section.blocks.push_back(std::move(relative));
    section.blocks.push_back(std::move(absolute));
    document.sections.push_back(std::move(section));
  }
  if (document.sections.size() == 1) {
    document.sections.back().blocks.push_back(DocParagraph{
        "The two runs share no model, workload and variant: there is nothing to compare.",
        Tone::kFlag});
  }
  return document;
}

void WriteComparisonReport(const std::string& first, const std::string& second,
                           const std::string& output) {
  const Run a = LoadRun(first), b = LoadRun(second);
  const Document document =
      BuildComparison(a.info, Analyze(a.info, a.samples), b.info, Analyze(b.info, b.samples));
  std::error_code error;
  std::filesystem::create_directories(output, error);
  for (const auto& [name, text] : {std::pair{"report.md", RenderMarkdown(document)},
                                   std::pair{"report.html", RenderHtml(document, {})}}) {
    std::ofstream out(std::filesystem::path(output) / name, std::ios::binary);
    out << text;
    out.close();
    if (!out) throw RunError("cannot write " + output + "/" + name);
  }
}

}  // namespace smallmind::harness
