// Tested through the report's summary (report_test.cc), with equals, a slower one and a flagged
// one.
#include "harness/analysis/leader.h"

#include <algorithm>
#include <cmath>

namespace smallmind::harness {
namespace {

std::vector<std::string> Beside(const Series& series, const std::vector<Comparison>& rows,
                                const Comparison& best, const AnalysisOptions& options) {
  std::vector<Comparison> rivals;
  std::vector<double> p;
  for (const Comparison& row : rows) {
    if (row.variant == best.variant || row.verdict == Verdict::kWorse) continue;
    const Comparison c =
        ComparePair(series, row.variant, best.variant, best.regime, best.metric, options);
    if (!std::isfinite(c.ratio().log.low) || !std::isfinite(c.ratio().log.high)) continue;
    p.push_back(c.ratio().p_value);
    rivals.push_back(c);
  }
  const std::vector<double> adjusted = stats::HolmAdjust(p);
  std::vector<std::string> beside;
  for (size_t i = 0; i < rivals.size(); ++i) {
    const Verdict verdict =
        Judge(rivals[i].ratio(), adjusted[i], Direction::kHigherIsBetter, options);
    if (verdict != Verdict::kWorse) beside.push_back(rivals[i].variant);
  }
  return beside;
}

}  // namespace

std::vector<Leader> FindLeaders(const Series& series, const std::vector<Comparison>& comparisons,
                                const std::vector<OutputCheck>& outputs,
                                const AnalysisOptions& options) {
  std::vector<Leader> leaders;
  for (const Regime& regime : series.regimes()) {
    for (const char* metric : {"decode_tps", "prefill_tps"}) {
      std::vector<Comparison> rows;
      const Comparison* best = nullptr;
      for (const Comparison& c : comparisons) {
        if (c.regime != regime || c.metric != metric) continue;
        if (Disqualifying(outputs, c.variant) != nullptr) continue;
        rows.push_back(c);
        if (c.verdict == Verdict::kBetter &&
            (best == nullptr || c.ratio().Ratio() > best->ratio().Ratio()))
          best = &c;
      }
      if (best == nullptr) continue;
      leaders.push_back({regime, metric, best->variant, Beside(series, rows, *best, options)});
    }
  }
  return leaders;
}

}  // namespace smallmind::harness
