// Tested on simulated rounds with known noise and known slowdowns (selftest_test.cc).
#include "harness/selftest.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "harness/error.h"
#include "harness/random.h"
#include "harness/stats.h"

namespace smallmind::harness {
namespace {

constexpr double kWantedPower = 0.9;
constexpr double kWantedAt = 5;  // percent
constexpr size_t kResamples = 400;

struct Draw {
  bool significant, slower;
};

Draw Compare(const std::vector<double>& ratios, uint64_t seed, double alpha) {
  stats::RatioOptions options;
  options.resamples = kResamples;
  options.seed = seed;
  const stats::LogRatio ratio = stats::Location(ratios, options);
  return {ratio.p_value<alpha, ratio.log.estimate> 0};
}

std::vector<double> Pick(std::vector<double> values, size_t n, Random& random) {
  random.Shuffle(values);
  values.resize(std::min(n, values.size()));
  return values;
}

std::string Share(double value) {
  char text[32];
  snprintf(text, sizeof text, "%.3f", value);
  return text;
}

}  // namespace

SelftestResult OperatingCurve(const std::vector<double>& null,
                              const std::map<double, std::vector<double>>& slowed, int comparisons,
                              uint64_t seed, double alpha) {
  SelftestResult result;
  result.alpha = alpha;
  result.real_rounds = static_cast<int>(null.size());
  std::set<size_t> sizes;
  for (const size_t n : {5, 8, 12, 20, 30, 40}) {
    if (n <= null.size()) sizes.insert(n);
  }
  Random random(seed);
  for (const size_t n : sizes) {
    CurvePoint point;
    point.rounds = static_cast<int>(n);
    point.comparisons = comparisons;
    int found = 0;
    for (int i = 0; i < comparisons; ++i) {
      std::vector<double> ratios = Pick(null, n, random);
      for (double& ratio : ratios) {
        if (random.Below(2) == 1) ratio = -ratio;
      }
      found += Compare(ratios, random.Next(), alpha).significant;
    }
    point.false_positive_rate = static_cast<double>(found) / comparisons;
    const stats::Interval rate = stats::WilsonInterval(found, comparisons);
    point.fp_low = rate.low;
    point.fp_high = rate.high;
    for (const auto& [percent, values] : slowed) {
      int seen = 0;
      for (int i = 0; i < comparisons; ++i) {
        const Draw draw = Compare(Pick(values, n, random), random.Next(), alpha);
        seen += draw.significant && draw.slower;
      }
      point.power[percent] = static_cast<double>(seen) / comparisons;
    }
    const stats::Interval spread = stats::StudentInterval(null, 0.95);
    const double deviation = spread.HalfWidth() /
                             stats::StudentQuantile(0.975, static_cast<double>(null.size() - 1)) *
                             std::sqrt(static_cast<double>(null.size()));
    point.mde_pct = 100 * std::expm1(stats::MinimumDetectableEffect(deviation, n, alpha, 0.8));
    result.curve.push_back(point);
  }
  return result;
}

int SelftestResult::ExitCode() const {
  if (curve.empty()) return kExitInconclusive;
  for (const CurvePoint& point : curve) {
    if (point.fp_low > alpha) return kExitRegression;
  }
  const auto power = curve.back().power.find(kWantedAt);
  return power != curve.back().power.end() && power->second >= kWantedPower ? kExitOk
                                                                            : kExitInconclusive;
}

std::vector<double> SlowdownRatios(const std::vector<Sample>& samples, const std::string& before,
                                   const std::string& after, const std::string& metric) {
  std::map<int, std::pair<double, double>> rounds;
  for (const Sample& sample : samples) {
    const auto it = sample.metrics.find(metric);
    if (!sample.Usable() || it == sample.metrics.end()) continue;
    if (sample.variant == before) rounds[sample.round].first = it->second;
    if (sample.variant == after) rounds[sample.round].second = it->second;
  }
  std::vector<double> ratios;
  for (const auto& [round, pair] : rounds) {
    if (pair.first > 0 && pair.second > 0) ratios.push_back(std::log(pair.first / pair.second));
  }
  return ratios;
}

std::string SelftestMarkdown(const SelftestResult& result) {
  std::ostringstream text;
  text << "### Selftest: " << result.metric << " of " << result.regime << ", " << result.real_rounds
       << " real rounds, alpha " << result.alpha << "\n\n"
       << "| rounds | A/A false positives | 95 % interval | detectable at power 0.8 |";
  if (!result.curve.empty()) {
    for (const auto& [percent, power] : result.curve[0].power)
      text << " power at " << percent << " % |";
    text << "\n|---:|---:|---|---:|";
    for (size_t i = 0; i < result.curve[0].power.size(); ++i) text << "---:|";
  }
  text << "\n";
  for (const CurvePoint& point : result.curve) {
    char mde[32];
    snprintf(mde, sizeof mde, "%.1f %%", point.mde_pct);
    text << "| " << point.rounds << " | " << Share(point.false_positive_rate) << " of "
         << point.comparisons << " | " << Share(point.fp_low) << " … " << Share(point.fp_high)
         << " | " << mde << " |";
    for (const auto& [percent, power] : point.power) text << " " << Share(power) << " |";
    text << "\n";
  }
  const int code = result.ExitCode();
  text << "\n"
       << (code == kExitOk ? "false positives keep to alpha; 5 % is found with power 0.9"
           : code == kExitRegression
               ? "false positives exceed alpha: do not trust this machine's verdicts"
               : "5 % is not found with power 0.9: more rounds, or a quieter machine")
       << "\n";
  return text.str();
}

Json SelftestJson(const SelftestResult& result, const Environment& environment) {
  Json json = {{"schema", 1},
               {"machine", environment.hostname_hash},
               {"cpu_model", environment.cpu_model},
               {"metric", result.metric},
               {"regime", result.regime},
               {"alpha", result.alpha},
               {"real_rounds", result.real_rounds},
               {"curve", Json::array()}};
  for (const CurvePoint& point : result.curve) {
    Json power = Json::array();
    for (const auto& [percent, share] : point.power) {
      power.push_back({{"slowdown_pct", percent}, {"power", share}});
    }
    json["curve"].push_back(
        {{"rounds", point.rounds},
         {"comparisons", point.comparisons},
         {"false_positive_rate", point.false_positive_rate},
         {"fp_low", point.fp_low},
         {"fp_high", point.fp_high},
         {"mde_pct", std::isfinite(point.mde_pct) ? Json(point.mde_pct) : Json()},
         {"power", power}});
  }
  return json;
}

std::filesystem::path SelftestPath(const std::filesystem::path& results_dir,
                                   const Environment& environment) {
  return results_dir / "selftest" / (environment.hostname_hash + ".json");
}

}  // namespace smallmind::harness
