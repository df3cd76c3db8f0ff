// Tested by simulated coverage and family-wise error, alike and unlike programs (coverage_test.cc).
#include "harness/stats/pooling.h"

#include <algorithm>
#include <cmath>

#include "harness/stats/special.h"
#include "harness/stats/student.h"
#include "harness/stats/summary.h"

namespace smallmind::harness::stats {
namespace {

// Of a log-ratio, the program's scatter and the reference's. `rows`: programs' log-ratios, build by
// build. What is left of them after each row's and each
// column's mean is the programs' scatter; the columns' means are the reference's, but for a
// 1 / rows-th of the programs'. The reference counts as a row of the table (its log-ratios to
// itself are zeros), and with its own scatter where that is larger.
Scatter Residual(const std::vector<std::span<const double>>& rows) {
  const size_t builds = rows.front().size();
  const double programs = static_cast<double>(rows.size());
  std::vector<double> columns(builds, 0.0);
  for (const auto& row : rows) {
    for (size_t b = 0; b < builds; ++b) columns[b] += row[b] / programs;
  }
  const double grand = Mean(columns);
  double of_programs = 0.0, of_columns = 0.0;
  for (size_t b = 0; b < builds; ++b) {
    of_columns += (columns[b] - grand) * (columns[b] - grand);
    for (const auto& row : rows) {
      const double residual = row[b] - Mean(row) - columns[b] + grand;
      of_programs += residual * residual;
    }
  }
  const double free = static_cast<double>(builds - 1);
  const double alike = 2.0 * (of_programs / programs + of_columns / (programs + 1.0)) / free;
  const double apart = (of_programs / programs + of_columns) / free;
  return {std::max(alike, apart), programs * free};
}

// Probability that a program which scatters like `rest` scatters as much as `centres` or more (F).
double ChanceOf(std::span<const double> centres, const Scatter& rest) {
  const double own = Variance(centres), df = static_cast<double>(centres.size() - 1);
  if (!(own > 0.0)) return 1.0;
  return IncompleteBeta(0.5 * rest.df, 0.5 * df, rest.df / (rest.df + df * own / rest.variance));
}

// `alone`, the location of `values`, with the larger of their own scatter and `pooled`.
LogRatio WithScatter(LogRatio alone, std::span<const double> values, const Scatter& pooled) {
  const double error =
      std::sqrt(std::max(Variance(values), pooled.variance) / static_cast<double>(values.size()));
  const double reach = StudentQuantile(0.5 * (1.0 + alone.log.level), pooled.df) * error;
  const double estimate = alone.log.estimate;
  alone.log = {estimate, estimate - reach, estimate + reach, alone.log.level};
  alone.df = pooled.df;
  alone.p_value = TwoSidedStudent(estimate, error, pooled.df);
  return alone;
}

// Without those that do not belong to the others.
std::vector<std::span<const double>> Alike(const std::vector<std::span<const double>>& rows) {
  if (rows.size() < 2) return rows;
  std::vector<std::span<const double>> alike;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<std::span<const double>> rest = rows;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    if (ChanceOf(rows[i], Residual(rest)) * static_cast<double>(rows.size()) >= kStranger)
      alike.push_back(rows[i]);
  }
  return alike;
}

}  // namespace

std::vector<double> BuildCentres(const std::vector<PairedBuild>& builds) {
  std::vector<double> centres;
  for (const PairedBuild& build : builds) {
    const std::vector<double> rounds = RoundLogRatios(build);
    if (!rounds.empty()) centres.push_back(Centre(rounds));
  }
  return centres;
}

LogRatio PooledLocation(std::span<const double> centres,
                        const std::vector<std::vector<double>>& others,
                        const RatioOptions& options) {
  std::vector<std::span<const double>> rows;
  for (const std::vector<double>& other : others) {
    if (other.size() == centres.size()) rows.emplace_back(other);
  }
  const LogRatio result = Location(centres, options);
  rows = Alike(rows);
  if (rows.empty() || ChanceOf(centres, Residual(rows)) < kContradiction) return result;
  rows.push_back(centres);
  return WithScatter(result, centres, Residual(rows));
}

Scatter ContrastScatter(const std::vector<std::vector<double>>& contrasts) {
  Scatter scatter;
  for (const std::vector<double>& contrast : contrasts) {
    scatter.variance += Variance(contrast) / static_cast<double>(contrasts.size());
    scatter.df += static_cast<double>(contrast.size() - 1);
  }
  return scatter;
}

LogRatio ContrastLocation(std::span<const double> values, double squared_weights,
                          const Scatter& programs, const RatioOptions& options) {
  const LogRatio alone = Location(values, options);
  const Scatter scatter = {squared_weights * programs.variance, programs.df};
  if (ChanceOf(values, scatter) < kContradiction) return alone;
  return WithScatter(alone, values, scatter);
}

}  // namespace smallmind::harness::stats
