// The gate's result as Markdown (a CI job's summary) and as JSON. Tested in gate_test.cc.
#include <cmath>
#include <cstdio>
#include <sstream>

#include "harness/gate.h"
#include "harness/metrics.h"
#include "harness/strings.h"

namespace smallmind::harness {
namespace {

std::string SignedPercent(double value) {
  if (!std::isfinite(value)) return value > 0 ? "inf" : "-inf";
  return Print("%+.1f %%", value);
}

}  // namespace

std::string ToString(GateVerdict verdict) {
  switch (verdict) {
    case GateVerdict::kPass:
      return "pass";
    case GateVerdict::kImprovement:
      return "improvement";
    case GateVerdict::kInconclusive:
      return "inconclusive";
    case GateVerdict::kRegression:
      return "regression";
  }
  return "unknown";
}

std::string GateMarkdown(const GateResult& result) {
  std::ostringstream text;
  text << "### Performance gate: " << ToString(result.Verdict()) << "\n\n"
       << result.after_name << " against " << result.before_name << "\n\n";
  if (!result.output_difference.empty()) text << "**" << result.output_difference << "**\n\n";
  text << "| what | metric | before | after | worse by | 95 % interval | threshold | could see | "
          "pairs | verdict |\n|---|---|---:|---:|---:|---|---:|---:|---:|---|\n";
  for (const GateRow& row : result.rows) {
    const MetricDef* metric = FindMetric(row.metric);
    char numbers[128];
    snprintf(numbers, sizeof numbers, "%.4g | %.4g", row.before, row.after);
    text << "| " << row.regime << " | " << metric->title << " (" << metric->unit << ") | "
         << numbers << " | " << SignedPercent(row.worse_pct) << " | " << SignedPercent(row.low_pct)
         << " … " << SignedPercent(row.high_pct) << " | " << SignedPercent(row.threshold_pct)
         << " | " << (row.mde_pct > 0 ? SignedPercent(row.mde_pct) : "-") << " | " << row.pairs
         << " | " << ToString(row.verdict) << " |\n";
  }
  for (const std::string& note : result.notes) text << "\n" << note << "\n";
  text << "\nregression: significant (Holm) and at least the threshold; inconclusive: the interval "
          "reaches the threshold, run more rounds or on a quieter machine; could see: found with "
          "power 0.8 among all measured rows\n";
  return text.str();
}

Json GateJson(const GateResult& result) {
  const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
  Json json = {{"schema", 1},
               {"verdict", ToString(result.Verdict())},
               {"before", result.before_name},
               {"after", result.after_name},
               {"output_difference", result.output_difference},
               {"notes", result.notes},
               {"rows", Json::array()}};
  for (const GateRow& row : result.rows) {
    json["rows"].push_back({{"regime", row.regime},
                            {"metric", row.metric},
                            {"before", number(row.before)},
                            {"after", number(row.after)},
                            {"worse_pct", number(row.worse_pct)},
                            {"low_pct", number(row.low_pct)},
                            {"high_pct", number(row.high_pct)},
                            {"p_adjusted", row.p_adjusted},
                            {"pairs", row.pairs},
                            {"threshold_pct", row.threshold_pct},
                            {"mde_pct", number(row.mde_pct)},
                            {"verdict", ToString(row.verdict)}});
  }
  return json;
}

}  // namespace smallmind::harness
