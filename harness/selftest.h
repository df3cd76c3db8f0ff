// The harness tested on this machine: how often it sees a difference that is not there (A/A), and
// how often it sees one that is (a slowdown injected into the engine, of known size).
//
// Real rounds are measured once: the reference twice under two names, and slowed by 1, 2 and 5 %.
// Then comparisons are drawn from them: n rounds without replacement, in the A/A case with the two
// names exchanged at random in each round, which makes the null hypothesis exactly true whatever
// the noise looks like. Each drawn comparison is judged by the statistics that the report uses.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/record.h"

namespace smallmind::harness {

struct CurvePoint {
  int rounds = 0;
  int comparisons = 0;
  double false_positive_rate = 0;
  double fp_low = 0, fp_high = 1;  // 95 % interval of that rate
  std::map<double, double> power;  // slowdown in percent -> share found (and in its direction)
  double mde_pct = 0;              // smallest change found with power 0.8, from the A/A noise
};

struct SelftestResult {
  std::string metric, regime;
  double alpha = 0.05;
  int real_rounds = 0;
  std::vector<CurvePoint> curve;  // ascending rounds; the last one uses nearly all real rounds

  // 0; 3 where false positives exceed alpha beyond chance; 4 where power at 5 % stays below 0.9.
  int ExitCode() const;
};

// Log ratios of real rounds: `null` of the two equal names, `slowed` of slowdown -> rounds, signed
// so that positive is slower.
SelftestResult OperatingCurve(const std::vector<double>& null,
                              const std::map<double, std::vector<double>>& slowed, int comparisons,
                              uint64_t seed, double alpha = 0.05);

// Round by round log(before / after) of a metric that is better when higher.
std::vector<double> SlowdownRatios(const std::vector<Sample>& samples, const std::string& before,
                                   const std::string& after, const std::string& metric);

std::string SelftestMarkdown(const SelftestResult& result);
Json SelftestJson(const SelftestResult& result, const Environment& environment);

// Where this machine's latest curve is kept: results/selftest/<machine>.json.
std::filesystem::path SelftestPath(const std::filesystem::path& results_dir,
                                   const Environment& environment);

}  // namespace smallmind::harness
