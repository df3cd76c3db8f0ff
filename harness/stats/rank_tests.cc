// Exact null distributions by the counting recurrences (one multiply-free table each); tested
// against R's and SciPy's documented examples and against brute-force enumeration of every ranking
// of small samples.
#include "harness/stats/rank_tests.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/stats/interval.h"
#include "harness/stats/rng.h"
#include "harness/stats/special.h"
#include "harness/stats/summary.h"

namespace smallmind::harness::stats {
namespace {

constexpr size_t kExactLimit = 50;

// P(U <= u) and P(U >= u) under the null, untied, for sample sizes m and n. The number of rankings
// with statistic u is the coefficient of q^u in the Gaussian binomial (m+n choose m): multiply by
// (1 - q^(n+i)) and divide by (1 - q^i) for i = 1..m. Low coefficients come from low ones only, so
// the tail stays exact while it is below 2^53; the upper half is the lower one mirrored.
std::vector<double> MannWhitneyPmf(size_t m, size_t n) {
  const size_t top = m * n;
  std::vector<double> count(top + 1, 0.0);
  count[0] = 1.0;
  for (size_t i = 1; i <= m; ++i) {
    for (size_t u = top + 1; u-- > n + i;) count[u] -= count[u - n - i];
    for (size_t u = i; u <= top; ++u) count[u] += count[u - i];
  }
  for (size_t u = 0; u < (top + 1) / 2; ++u) count[top - u] = count[u];
  const double total = std::accumulate(count.begin(), count.end(), 0.0);
  for (double& c : count) c /= total;
  return count;
}

// Number of subsets of {1..n} with sum v, as a probability.
std::vector<double> SignedRankPmf(size_t n) {
  const size_t top = n * (n + 1) / 2;
  std::vector<double> p(top + 1, 0.0);
  p[0] = 1.0;
  size_t reach = 0;
  for (size_t i = 1; i <= n; ++i) {
    reach += i;
    for (size_t v = reach + 1; v-- > 0;) p[v] = 0.5 * (p[v] + (v >= i ? p[v - i] : 0.0));
  }
  return p;
}

double TwoSidedExact(const std::vector<double>& pmf, double statistic) {
  const size_t k = static_cast<size_t>(std::llround(statistic));
  double below = 0.0, above = 0.0;
  for (size_t i = 0; i < pmf.size(); ++i) {
    if (i <= k) below += pmf[i];
    if (i >= k) above += pmf[i];
  }
  return std::min(1.0, 2.0 * std::min(below, above));
}

// Sum over groups of tied values of t^3 - t.
double TieTerm(std::span<const double> values) {
  const std::vector<double> ascending = Sorted(values);
  double sum = 0.0;
  for (size_t i = 0; i < ascending.size();) {
    size_t j = i;
    while (j < ascending.size() && ascending[j] == ascending[i]) ++j;
    const double t = static_cast<double>(j - i);
    sum += t * t * t - t;
    i = j;
  }
  return sum;
}

double TwoSidedNormal(double statistic, double mean, double variance) {
  if (!(variance > 0.0)) return 1.0;
  const double distance = std::max(0.0, std::fabs(statistic - mean) - 0.5);
  return std::min(1.0, 2.0 * NormalCdf(-distance / std::sqrt(variance)));
}

std::vector<double> WalshAverages(std::span<const double> values) {
  std::vector<double> averages;
  averages.reserve(values.size() * (values.size() + 1) / 2);
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t j = i; j < values.size(); ++j) averages.push_back(0.5 * (values[i] + values[j]));
  }
  return averages;
}

}  // namespace

std::vector<double> Ranks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t i = 0; i < order.size();) {
    size_t j = i;
    while (j < order.size() && values[order[j]] == values[order[i]]) ++j;
    const double shared = 0.5 * static_cast<double>(i + 1 + j);
    for (size_t k = i; k < j; ++k) ranks[order[k]] = shared;
    i = j;
  }
  return ranks;
}

RankTest MannWhitney(std::span<const double> x, std::span<const double> y) {
  RankTest result;
  if (x.empty() || y.empty()) return result;
  std::vector<double> both(x.begin(), x.end());
  both.insert(both.end(), y.begin(), y.end());
  const std::vector<double> ranks = Ranks(both);
  const double m = static_cast<double>(x.size()), n = static_cast<double>(y.size());
  double rank_sum = 0.0;
  for (size_t i = 0; i < x.size(); ++i) rank_sum += ranks[i];
  result.statistic = rank_sum - m * (m + 1.0) / 2.0;
  const double ties = TieTerm(both);
  if (ties == 0.0 && x.size() <= kExactLimit && y.size() <= kExactLimit) {
    result.exact = true;
    result.p_value = TwoSidedExact(MannWhitneyPmf(x.size(), y.size()), result.statistic);
    return result;
  }
  const double total = m + n;
  const double variance = m * n / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
  result.p_value = TwoSidedNormal(result.statistic, m * n / 2.0, variance);
  return result;
}

RankTest WilcoxonSignedRank(std::span<const double> differences) {
  std::vector<double> kept, sizes;
  for (double d : differences) {
    if (d == 0.0) continue;
    kept.push_back(d);
    sizes.push_back(std::fabs(d));
  }
  RankTest result;
  if (kept.empty()) return result;
  const std::vector<double> ranks = Ranks(sizes);
  for (size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] > 0.0) result.statistic += ranks[i];
  }
  const double ties = TieTerm(sizes);
  if (ties == 0.0 && kept.size() <= kExactLimit) {
    result.exact = true;
    result.p_value = TwoSidedExact(SignedRankPmf(kept.size()), result.statistic);
    return result;
  }
  const double n = static_cast<double>(kept.size());
  const double variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
  result.p_value = TwoSidedNormal(result.statistic, n * (n + 1.0) / 4.0, variance);
  return result;
}

double CliffsDelta(std::span<const double> x, std::span<const double> y) {
  if (x.empty() || y.empty()) return kNan;
  long balance = 0;
  for (double a : x) {
    for (double b : y) balance += (a > b) - (a < b);
  }
  return static_cast<double>(balance) / static_cast<double>(x.size() * y.size());
}

const char* CliffsDeltaWord(double delta) {
  const double size = std::fabs(delta);
  if (size < 0.147) return "negligible";
  if (size < 0.33) return "small";
  if (size < 0.474) return "medium";
  return "large";
}

double HodgesLehmann(std::span<const double> values) { return Median(WalshAverages(values)); }

// The averages of all pairs of the original values are sorted once. A resample only changes how
// often each counts: c_i * c_j for a pair, c_i (c_i + 1) / 2 for a value with itself. Its median is
// found by walking the sorted list until half of the weight has passed.
std::vector<double> HodgesLehmannReplicates(std::span<const double> values, size_t resamples,
                                            uint64_t seed) {
  struct Pair {
    double average;
    uint32_t i, j;
  };
  const size_t n = values.size();
  std::vector<Pair> pairs;
  pairs.reserve(n * (n + 1) / 2);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = i; j < n; ++j) {
      pairs.push_back(
          {0.5 * (values[i] + values[j]), static_cast<uint32_t>(i), static_cast<uint32_t>(j)});
    }
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const Pair& a, const Pair& b) { return a.average < b.average; });
  const uint64_t total = pairs.size();
  std::vector<double> replicates;
  if (n == 0) return replicates;
  replicates.reserve(resamples);
  std::vector<uint32_t> count(n);
  Rng rng(seed);
  for (size_t b = 0; b < resamples; ++b) {
    std::fill(count.begin(), count.end(), 0u);
    for (size_t k = 0; k < n; ++k) ++count[rng.Below(n)];
    uint64_t passed = 0;
    double lower = 0.0;
    bool have_lower = false;
    for (const Pair& pair : pairs) {
      const uint64_t c = count[pair.i];
      passed += pair.i == pair.j ? c * (c + 1) / 2 : c * count[pair.j];
      // 1-based order statistics total/2 and total/2 + 1; the same one for an odd total.
      if (!have_lower && 2 * passed >= total) {
        lower = pair.average;
        have_lower = true;
      }
      if (2 * passed > total) {
        replicates.push_back(0.5 * (lower + pair.average));
        break;
      }
    }
  }
  std::sort(replicates.begin(), replicates.end());
  return replicates;
}

Interval HodgesLehmannInterval(std::span<const double> values, double level) {
  Interval interval;
  interval.level = level;
  if (values.empty()) return interval;
  std::vector<double> walsh = WalshAverages(values);
  std::sort(walsh.begin(), walsh.end());
  interval.estimate = Median(walsh);
  const double alpha = 1.0 - level;
  size_t drop = 0;  // how many averages fall outside at each end
  const double n = static_cast<double>(values.size());
  if (values.size() <= kExactLimit) {
    const std::vector<double> pmf = SignedRankPmf(values.size());
    double tail = 0.0;
    while (drop < pmf.size() && tail + pmf[drop] <= alpha / 2.0) tail += pmf[drop++];
    interval.level = drop == 0 ? 1.0 - 2.0 * pmf[0] : 1.0 - 2.0 * tail;
    // V = 0 alone may already exceed alpha / 2; then the full range is all there is.
    if (drop == 0) drop = 1;
  } else {
    const double mean = n * (n + 1.0) / 4.0;
    const double sigma = std::sqrt(n * (n + 1.0) * (2.0 * n + 1.0) / 24.0);
    const double cut = mean + NormalQuantile(alpha / 2.0) * sigma;
    drop = static_cast<size_t>(std::max(1.0, std::floor(cut + 0.5)));
  }
  drop = std::min(drop, (walsh.size() + 1) / 2);
  interval.low = walsh[drop - 1];
  interval.high = walsh[walsh.size() - drop];
  return interval;
}

}  // namespace smallmind::harness::stats
