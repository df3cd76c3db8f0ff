// The harness tested on this machine: how often it sees a difference that is not there (A/A), and
// how often it sees one that is (a slowdown injected into the engine, of known size).
//
// Real rounds are measured once: the reference twice under two names, and slowed by 1, 2 and 5 %.
// Then comparisons are drawn from them, n rounds with replacement. In the A/A case the two names
// are exchanged at random in each round, which makes the null hypothesis exactly true whatever the
// noise looks like. Each drawn comparison is a whole row of the report's table: all headline
// metrics, Holm, and the report's own verdict. A false positive is a row with any metric called
// better or worse; power is the share of rows whose watched metric is called worse. The family is
// that of one comparison, as the gate makes it; a report's table of many variants is a larger one.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/analysis/comparison.h"
#include "harness/record.h"

namespace smallmind::harness {

// One round: log(after / before) of each headline metric, NaN where one side lacks it.
using HeadlineRow = std::array<double, std::size(kHeadlineMetrics)>;

struct SelftestRounds {
  std::vector<HeadlineRow> null;                      // the two equal names
  std::map<double, std::vector<HeadlineRow>> slowed;  // slowdown in percent -> rounds
  double pair_s = 0;                                  // what one round of two competitors takes
  int warmup = 0;                                     // rounds ahead of those that count
};

struct CurvePoint {
  int rounds = 0;
  double seconds = 0;  // what a comparison of so many rounds takes, warm-up included
  int comparisons = 0;
  double false_positive_rate = 0;         // any metric of the row
  double fp_low = 0, fp_high = 1;         // 95 % interval of that rate
  double metric_false_positive_rate = 0;  // the watched metric alone
  std::map<double, double> power;         // slowdown in percent -> share found
  // Smallest change of the watched metric found with power 0.8 among the row's metrics (Holm's
  // first step).
  double mde_pct = 0;
};

struct SelftestResult {
  std::string metric, regime;
  double alpha = 0.05;
  double budget_s = 0;  // of one comparison; power is judged by the longest that fits
  int real_rounds = 0;
  stats::LogRatio as_measured;    // the equal names as they were: is one place in a round better?
  std::vector<CurvePoint> curve;  // ascending rounds

  // nullptr where no comparison fits the budget.
  const CurvePoint* WithinBudget() const;
  // The equal names differ as they were measured: the whole interval lies beyond what is called
  // equal. The curve cannot show it, since exchanging the names takes a bias out.
  bool Biased() const;
  // 0; 3 where the equal names are biased or false positives exceed alpha beyond chance; 4 where
  // power at 5 % stays below 0.9.
  int ExitCode() const;
};

// `comparisons` draws a point and kind; the same seed gives the same curve.
SelftestResult OperatingCurve(const SelftestRounds& rounds, const std::string& metric,
                              double budget_s, int comparisons, uint64_t seed);

// Rounds that both finished; contaminated ones are left out where enough others remain, as in the
// report.
std::vector<HeadlineRow> HeadlineRows(const std::vector<Sample>& samples, const std::string& before,
                                      const std::string& after);

// What a round of two of these competitors takes: one step from sample to sample within a round,
// and one from round to round with all that lies between them (records, ceilings).
double PairSeconds(const std::vector<Sample>& samples);

std::string SelftestMarkdown(const SelftestResult& result);
Json SelftestJson(const SelftestResult& result, const Environment& environment);

// Where this machine's latest curve is kept: results/selftest/<machine>.json.
std::filesystem::path SelftestPath(const std::filesystem::path& results_dir,
                                   const Environment& environment);

}  // namespace smallmind::harness
