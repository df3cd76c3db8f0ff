// Tested on simulated rounds with known noise and known slowdowns (selftest_test.cc), and from
// process to curve with a fake variant (testing/test_gate.py).
#include "harness/selftest.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <set>
#include <sstream>

#include "harness/error.h"
#include "harness/stats.h"
#include "harness/strings.h"

namespace smallmind::harness {
namespace {

constexpr double kWantedPower = 0.9;
constexpr double kWantedAt = 5;  // percent
constexpr size_t kResamples = 400;
constexpr size_t kSizes[] = {5, 8, 12, 20, 40, 80, 160, 320};

AnalysisOptions ReportOptions() {
  AnalysisOptions options;
  options.resamples = kResamples;
  return options;
}

size_t HeadlineIndex(const std::string& metric) {
  return static_cast<size_t>(std::ranges::find(kHeadlineMetrics, metric) -
                             std::begin(kHeadlineMetrics));
}

std::vector<double> Column(const std::vector<HeadlineRow>& rows, size_t metric) {
  std::vector<double> values;
  for (const HeadlineRow& row : rows) {
    if (!std::isnan(row[metric])) values.push_back(row[metric]);
  }
  return values;
}

// The report's verdicts on one drawn comparison, and how uncertain each metric's centre was.
struct Judged {
  std::array<Verdict, std::size(kHeadlineMetrics)> verdicts;
  std::array<double, std::size(kHeadlineMetrics)> errors;  // standard errors
};

Judged JudgeRow(const std::vector<HeadlineRow>& rows, uint64_t seed) {
  const AnalysisOptions options = ReportOptions();
  std::vector<stats::LogRatio> ratios;
  std::vector<double> p_values;
  for (size_t m = 0; m < std::size(kHeadlineMetrics); ++m) {
    ratios.push_back(stats::Location(
        Column(rows, m), {options.level, options.resamples, stats::DeriveSeed(seed, m)}));
    p_values.push_back(ratios.back().p_value);
  }
  const std::vector<double> adjusted = stats::HolmAdjust(p_values);
  Judged judged;
  for (size_t m = 0; m < ratios.size(); ++m) {
    judged.verdicts[m] =
        Judge(ratios[m], adjusted[m], FindMetric(kHeadlineMetrics[m])->direction, options);
    judged.errors[m] = stats::StandardError(ratios[m].log, ratios[m].df);
  }
  return judged;
}

bool Differs(Verdict verdict) { return verdict == Verdict::kBetter || verdict == Verdict::kWorse; }

struct Found {
  int any = 0, metric = 0, metric_worse = 0;
  double squares = 0;  // of the watched metric's standard errors
};

Found Draw(const std::vector<HeadlineRow>& rows, size_t n, bool exchange, size_t metric,
           int comparisons, uint64_t seed) {
  stats::Rng rng(seed);
  Found found;
  for (int i = 0; i < comparisons; ++i) {
    std::vector<HeadlineRow> drawn;
    for (size_t k = 0; k < n; ++k) {
      drawn.push_back(rows[rng.Below(rows.size())]);
      if (exchange && rng.Below(2) == 1) {
        for (double& value : drawn.back()) value = -value;
      }
    }
    const auto [verdicts, errors] = JudgeRow(drawn, rng.Next());
    found.squares += errors[metric] * errors[metric];
    found.any += std::ranges::any_of(verdicts, Differs);
    found.metric += Differs(verdicts[metric]);
    found.metric_worse += verdicts[metric] == Verdict::kWorse;
  }
  return found;
}

}  // namespace

SelftestResult OperatingCurve(const SelftestRounds& rounds, const std::string& metric,
                              double budget_s, int comparisons, uint64_t seed) {
  const size_t watched = HeadlineIndex(metric);
  SelftestResult result;
  result.metric = metric;
  result.alpha = ReportOptions().alpha;
  result.budget_s = budget_s;
  result.real_rounds = static_cast<int>(rounds.null.size());
  const std::vector<double> null = Column(rounds.null, watched);
  result.as_measured = stats::Location(null);
  std::set<size_t> sizes;
  if (null.size() < kSizes[0]) return result;
  for (const size_t n : kSizes) {
    if (n < rounds.null.size()) sizes.insert(n);
  }
  sizes.insert(rounds.null.size());
  for (const size_t n : sizes) {
    const auto draw = [&, n](const std::vector<HeadlineRow>& rows, bool exchange, uint64_t stream) {
      return std::async(std::launch::async, Draw, std::cref(rows), n, exchange, watched,
                        comparisons, stats::DeriveSeed(seed, 1000 * n + stream));
    };
    std::future<Found> equal = draw(rounds.null, true, 0);
    std::map<double, std::future<Found>> slowed;
    for (const auto& [percent, rows] : rounds.slowed) {
      if (!rows.empty()) slowed[percent] = draw(rows, false, slowed.size() + 1);
    }
    CurvePoint point;
    point.rounds = static_cast<int>(n);
    point.seconds = rounds.pair_s * static_cast<double>(n + rounds.warmup);
    point.comparisons = comparisons;
    const Found found = equal.get();
    point.false_positive_rate = static_cast<double>(found.any) / comparisons;
    point.metric_false_positive_rate = static_cast<double>(found.metric) / comparisons;
    const stats::Interval rate = stats::WilsonInterval(found.any, comparisons);
    point.fp_low = rate.low;
    point.fp_high = rate.high;
    for (auto& [percent, seen] : slowed) {
      point.power[percent] = static_cast<double>(seen.get().metric_worse) / comparisons;
    }
    const double shift = stats::DetectableShift(static_cast<double>(n - 1),
                                                result.alpha / std::size(kHeadlineMetrics));
    point.mde_pct = 100 * std::expm1(shift * std::sqrt(found.squares / comparisons));
    result.curve.push_back(point);
  }
  return result;
}

const CurvePoint* SelftestResult::WithinBudget() const {
  const CurvePoint* best = nullptr;
  for (const CurvePoint& point : curve) {
    if (point.seconds <= budget_s) best = &point;
  }
  return best;
}

bool SelftestResult::Biased() const {
  const Verdict verdict =
      Judge(as_measured, as_measured.p_value, FindMetric(metric)->direction, ReportOptions());
  const double margin = std::log1p(ReportOptions().equal_within);
  return Differs(verdict) && (as_measured.log.low > margin || as_measured.log.high < -margin);
}

int SelftestResult::ExitCode() const {
  if (Biased()) return kExitRegression;
  for (const CurvePoint& point : curve) {
    if (point.fp_low > alpha) return kExitRegression;
  }
  const CurvePoint* point = WithinBudget();
  if (point == nullptr) return kExitInconclusive;
  const auto power = point->power.find(kWantedAt);
  return power != point->power.end() && power->second >= kWantedPower ? kExitOk : kExitInconclusive;
}

std::vector<HeadlineRow> HeadlineRows(const std::vector<Sample>& samples, const std::string& before,
                                      const std::string& after) {
  std::map<int, std::pair<const Sample*, const Sample*>> rounds;
  for (const Sample& sample : samples) {
    if (!sample.Usable()) continue;
    if (sample.variant == before) rounds[sample.round].first = &sample;
    if (sample.variant == after) rounds[sample.round].second = &sample;
  }
  std::vector<HeadlineRow> all, clean;
  for (const auto& [round, pair] : rounds) {
    if (pair.first == nullptr || pair.second == nullptr) continue;
    HeadlineRow row;
    for (size_t m = 0; m < row.size(); ++m) {
      const std::string name(kHeadlineMetrics[m]);
      const auto old_value = pair.first->metrics.find(name);
      const auto new_value = pair.second->metrics.find(name);
      const bool both = old_value != pair.first->metrics.end() &&
                        new_value != pair.second->metrics.end() && old_value->second > 0 &&
                        new_value->second > 0;
      row[m] = both ? std::log(new_value->second / old_value->second) : stats::kNan;
    }
    all.push_back(row);
    if (!pair.first->contaminated && !pair.second->contaminated) clean.push_back(row);
  }
  return clean.size() >= ReportOptions().min_clean_rounds ? clean : all;
}

double PairSeconds(const std::vector<Sample>& samples) {
  std::vector<double> within, between;
  const Sample* previous = nullptr;
  for (const Sample& sample : samples) {
    if (sample.warmup) continue;
    if (previous != nullptr) {
      (sample.round == previous->round ? within : between)
          .push_back(sample.start_unix - previous->start_unix);
    }
    previous = &sample;
  }
  if (within.empty()) return 0;
  return stats::Mean(within) + stats::Mean(between.empty() ? within : between);
}

std::string SelftestMarkdown(const SelftestResult& result) {
  std::ostringstream text;
  text << "### Selftest: " << result.metric << " of " << result.regime << ", " << result.real_rounds
       << " real rounds, alpha " << result.alpha << "\n\n"
       << "| rounds | seconds | A/A false positives | 95 % interval | of " << result.metric
       << " | detectable at power 0.8 |";
  if (!result.curve.empty()) {
    for (const auto& [percent, power] : result.curve[0].power)
      text << " power at " << percent << " % |";
    text << "\n|---:|---:|---:|---|---:|---:|";
    for (size_t i = 0; i < result.curve[0].power.size(); ++i) text << "---:|";
  }
  text << "\n";
  for (const CurvePoint& point : result.curve) {
    text << "| " << point.rounds << " | " << Print("%.0f", point.seconds) << " | "
         << Print("%.3f", point.false_positive_rate) << " of " << point.comparisons << " | "
         << Print("%.3f", point.fp_low) << " … " << Print("%.3f", point.fp_high) << " | "
         << Print("%.3f", point.metric_false_positive_rate) << " | "
         << Print("%.1f %%", point.mde_pct) << " |";
    for (const auto& [percent, power] : point.power) text << " " << Print("%.3f", power) << " |";
    text << "\n";
  }
  text << "\nThe two equal names as they were measured: "
       << Print("%+.2f %%", 100 * std::expm1(result.as_measured.log.estimate)) << " ["
       << Print("%+.2f", 100 * std::expm1(result.as_measured.log.low)) << ", "
       << Print("%+.2f", 100 * std::expm1(result.as_measured.log.high)) << "], p "
       << Print("%.2f", result.as_measured.p_value) << ". A false positive is a row with any of "
       << std::size(kHeadlineMetrics)
       << " metrics called different; all figures are of one comparison, Holm over its "
       << std::size(kHeadlineMetrics)
       << " metrics, as in the gate. A report's table of many variants sees less.\n";
  const int code = result.ExitCode();
  text << "\n"
       << (result.Biased()           ? "the two equal names differ: do not trust this machine's "
                                       "verdicts; "
           : code == kExitOk         ? "false positives keep to alpha; "
           : code == kExitRegression ? "false positives exceed alpha: do not trust this machine's "
                                       "verdicts; "
                                     : "too blind: more rounds (--rounds), or a quieter machine; ")
       << "5 % is found with power ";
  const CurvePoint* point = result.WithinBudget();
  const bool known = point != nullptr && point->power.contains(kWantedAt);
  text << (known ? Print("%.3f", point->power.at(kWantedAt)) : "unknown") << " within "
       << Print("%.0f", result.budget_s) << " s (wanted: " << kWantedPower << ")\n";
  return text.str();
}

Json SelftestJson(const SelftestResult& result, const Environment& environment) {
  Json json = {{"schema", 1},
               {"machine", environment.hostname_hash},
               {"cpu_model", environment.cpu_model},
               {"metric", result.metric},
               {"regime", result.regime},
               {"alpha", result.alpha},
               {"family", std::size(kHeadlineMetrics)},
               {"budget_s", result.budget_s},
               {"real_rounds", result.real_rounds},
               {"as_measured", RatioJson(result.as_measured)},
               {"curve", Json::array()}};
  for (const CurvePoint& point : result.curve) {
    Json power = Json::array();
    for (const auto& [percent, share] : point.power) {
      power.push_back({{"slowdown_pct", percent}, {"power", share}});
    }
    json["curve"].push_back({{"rounds", point.rounds},
                             {"seconds", point.seconds},
                             {"comparisons", point.comparisons},
                             {"false_positive_rate", point.false_positive_rate},
                             {"fp_low", point.fp_low},
                             {"fp_high", point.fp_high},
                             {"metric_false_positive_rate", point.metric_false_positive_rate},
                             {"mde_pct", Number(point.mde_pct)},
                             {"power", power}});
  }
  return json;
}

std::filesystem::path SelftestPath(const std::filesystem::path& results_dir,
                                   const Environment& environment) {
  return results_dir / "selftest" / (environment.hostname_hash + ".json");
}

}  // namespace smallmind::harness
