// Formats of services that chart results over commits: github-action-benchmark and Bencher.
#include <algorithm>
#include <cmath>

#include "harness/export/formats.h"
#include "harness/report/text.h"

namespace smallmind::harness {

std::vector<ExportFile> ExportGithubActionBenchmark(const Run& run, const Analysis& analysis) {
  Json list = Json::array();
  for (const MetricSummary& s : analysis.summaries) {
    const MetricDef* def = FindMetric(s.metric);
    if (def == nullptr || def->direction != Direction::kHigherIsBetter) continue;
    std::string extra = std::to_string(s.n) + " samples, " + std::to_string(s.contaminated) +
                        " contaminated\nreference: " + analysis.reference +
                        "\ncommit: " + run.info.environment.git;
    if (const Comparison* c = analysis.Against(s.variant, s.regime, s.metric)) {
      extra += "\nratio: " + RatioText(c->ratio());
    }
    Json row = {
        {"name", s.variant + " " + s.metric + " " + s.regime.model + " " + s.regime.workload},
        {"unit", std::string(def->unit)},
        {"value", s.median}};
    if (std::isfinite(s.interval.HalfWidth())) row["range"] = "± " + Figure(s.interval.HalfWidth());
    row["extra"] = extra;
    list.push_back(std::move(row));
  }
  return {{"github-action-benchmark.json", list.dump(1) + "\n"}};
}

std::vector<ExportFile> ExportBencher(const Analysis& analysis) {
  Json root = Json::object();
  for (const MetricSummary& s : analysis.summaries) {
    Json measure = {{"value", s.median}};
    if (std::isfinite(s.interval.low)) measure["lower_value"] = s.interval.low;
    if (std::isfinite(s.interval.high)) measure["upper_value"] = s.interval.high;
    std::string slug = s.metric;  // Bencher's slugs have hyphens
    std::replace(slug.begin(), slug.end(), '_', '-');
    root[s.variant + "/" + s.regime.model + "/" + s.regime.workload][slug] = std::move(measure);
  }
  return {{"bencher.json", root.dump(1) + "\n"}};
}

}  // namespace smallmind::harness
