// Do the intervals cover the truth as often as they say? 2,000 simulated sets a cell, fixed seeds.
// With a nominal 95 % the simulation itself scatters by 0.5 points (one sigma).
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <numbers>

#include "harness/stats/hierarchy.h"
#include "harness/stats/multiple.h"
#include "harness/stats/pooling.h"
#include "harness/stats/rank_tests.h"
#include "harness/stats/rng.h"
#include "harness/stats/student.h"
#include "harness/stats/summary.h"

namespace smallmind::harness::stats {
namespace {

constexpr int kSets = 2000;
using Noise = std::function<double(Rng&)>;

double Normal(Rng& rng) { return rng.Normal(); }

// Student t with 3 degrees of freedom: heavy tails.
double Heavy(Rng& rng) {
  double chi = 0.0;
  for (int i = 0; i < 3; ++i) {
    const double z = rng.Normal();
    chi += z * z;
  }
  return rng.Normal() / std::sqrt(chi / 3.0);
}

// One round in ten is disturbed, sixfold scatter.
double Contaminated(Rng& rng) { return rng.Normal() * (rng.Uniform() < 0.1 ? 6.0 : 1.0); }

// The log-ratio of two runs whose times are a floor plus exponential delays: what timings look
// like.
double Delays(Rng& rng) {
  const auto delay = [&] { return std::log(1.0 - 0.3 * std::log(1.0 - rng.Uniform())); };
  return delay() - delay();
}

double Coverage(size_t n, const Noise& noise, uint64_t seed,
                const std::function<Interval(const std::vector<double>&, uint64_t)>& method) {
  constexpr double kTruth = 0.03;
  Rng rng(seed);
  int covered = 0;
  for (int s = 0; s < kSets; ++s) {
    std::vector<double> x(n);
    for (double& v : x) v = kTruth + 0.02 * noise(rng);
    covered += method(x, DeriveSeed(seed, static_cast<uint64_t>(s))).Contains(kTruth) ? 1 : 0;
  }
  return covered / static_cast<double>(kSets);
}

Interval Ours(const std::vector<double>& x, uint64_t seed) {
  return Location(x, {0.95, 250, seed}).log;
}

class LocationCoverage : public testing::TestWithParam<size_t> {};

TEST_P(LocationCoverage, Holds) {
  const size_t n = GetParam();
  const struct {
    const char* name;
    Noise noise;
  } kinds[] = {
      {"normal", Normal}, {"heavy", Heavy}, {"contaminated", Contaminated}, {"delays", Delays}};
  for (const auto& kind : kinds) {
    const double coverage = Coverage(n, kind.noise, 1000 + n, Ours);
    RecordProperty(std::string(kind.name), std::to_string(coverage));
    EXPECT_GE(coverage, 0.93) << kind.name << " n=" << n;
    EXPECT_LE(coverage, 0.97) << kind.name << " n=" << n;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, LocationCoverage, testing::Values(3, 4, 5, 6, 8, 10, 20));

// Exact by construction: 1 - 2 P(V <= c), for ten values 95.1 %.
TEST(Coverage, HodgesLehmannRankInterval) {
  const double coverage = Coverage(10, Heavy, 5, [](const std::vector<double>& x, uint64_t) {
    return HodgesLehmannInterval(x, 0.95);
  });
  EXPECT_GE(coverage, 0.93);
  EXPECT_LE(coverage, 0.97);
}

// The plain percentiles of eight values' bootstrap fall short; this is why they are moved outwards.
TEST(Coverage, PlainPercentilesOfFewValuesFallShort) {
  const double coverage = Coverage(8, Normal, 6, [](const std::vector<double>& x, uint64_t seed) {
    const std::vector<double> replicates = HodgesLehmannReplicates(x, 500, seed);
    return Interval{HodgesLehmann(x), QuantileSorted(replicates, 0.025),
                    QuantileSorted(replicates, 0.975), 0.95};
  });
  EXPECT_LT(coverage, 0.92);
}

// By the binomial: 96.9 % of six values, 99.2 % of eight, 97.9 % of ten, 95.9 % of 20, 97.6 %
// of 29.
TEST(Coverage, OrderStatisticsOfASkewedDistributionsMedian) {
  for (size_t n : {6u, 8u, 10u, 20u, 29u}) {
    const double sure = Coverage(
        n, [](Rng& rng) { return -std::log(1.0 - rng.Uniform()) - std::numbers::ln2; }, 90 + n,
        [](const std::vector<double>& x, uint64_t) { return MedianInterval(x); });
    EXPECT_GE(sure, 0.94) << n;
    EXPECT_LE(sure, 0.995) << n;
  }
}

// The centre of symmetry is no median: why a median's interval is not that of Location.
TEST(Coverage, LocationDoesNotCoverASkewedDistributionsMedian) {
  const double sure = Coverage(
      29, [](Rng& rng) { return -std::log(1.0 - rng.Uniform()) - std::numbers::ln2; }, 92, Ours);
  EXPECT_LT(sure, 0.9);
}

// Nested truth: builds scatter by 1 %, rounds by 2 %, iterations by 0.5 %.
TEST(Coverage, HierarchyOverBuilds) {
  for (size_t builds : {3u, 8u}) {
    Rng rng(40 + builds);
    int covered = 0;
    const double truth = std::log(1.08);
    for (int s = 0; s < kSets; ++s) {
      std::vector<PairedBuild> data(builds);
      for (PairedBuild& build : data) {
        const double layout = 0.01 * rng.Normal();
        for (int r = 0; r < 4; ++r) {
          const double drift = 0.2 * rng.Normal();  // common to the pair: cancels
          const double process = truth + layout + 0.02 * rng.Normal();
          PairedRound round;
          for (int i = 0; i < 3; ++i) {
            round.variant.push_back(100.0 * std::exp(drift + process + 0.005 * rng.Normal()));
            round.reference.push_back(100.0 * std::exp(drift + 0.005 * rng.Normal()));
          }
          build.push_back(round);
        }
      }
      covered += HierarchicalRatio(data, {0.95, 300, DeriveSeed(2, s)}).log.Contains(truth) ? 1 : 0;
    }
    const double coverage = covered / static_cast<double>(kSets);
    EXPECT_GE(coverage, 0.93) << builds;
    EXPECT_LE(coverage, 0.97) << builds;
  }
}

// Fourteen programs and a reference in three builds each, by PooledLocation. `unlike`: how much
// more the first program's builds scatter than the others', `reference`: the reference's.
struct PooledRates {
  double covered = 0, covered_unlike = 0, any_false = 0, found = 0, found_alone = 0;
};

PooledRates PoolTables(double unlike, double reference) {
  constexpr int kTables = 1000;
  constexpr size_t kPrograms = 14, kBuilds = 3;
  Rng rng(9);
  PooledRates rates;
  for (int t = 0; t < kTables; ++t) {
    std::vector<std::vector<double>> centres(kPrograms, std::vector<double>(kBuilds));
    for (size_t b = 0; b < kBuilds; ++b) {
      const double base = reference * rng.Normal();
      for (size_t v = 0; v < kPrograms; ++v)
        centres[v][b] = 0.01 * ((v == 0 ? unlike : 1.0) * rng.Normal() - base);
    }
    std::vector<double> p;
    for (size_t v = 0; v < kPrograms; ++v) {
      std::vector<std::vector<double>> others = centres;
      others.erase(others.begin() + static_cast<long>(v));
      const LogRatio ratio = PooledLocation(centres[v], others);
      p.push_back(ratio.p_value);
      rates.covered += ratio.log.Contains(0.0) / static_cast<double>(kTables * kPrograms);
      if (v == 0) rates.covered_unlike += ratio.log.Contains(0.0) / static_cast<double>(kTables);
      if (v != 1) continue;
      std::vector<double> shifted = centres[v];  // by five sigma, in a table of 56 rows
      for (double& x : shifted) x += 0.05;
      constexpr double kEach = 0.05 / 56;
      rates.found += (PooledLocation(shifted, others).p_value <= kEach) / double{kTables};
      rates.found_alone += (Location(shifted).p_value <= kEach) / double{kTables};
    }
    const std::vector<double> adjusted = HolmAdjust(p);
    rates.any_false +=
        std::ranges::any_of(adjusted, [](double q) { return q <= 0.05; }) / double{kTables};
  }
  return rates;
}

TEST(Coverage, PooledOverProgramsThatScatterAlike) {
  const PooledRates rates = PoolTables(1.0, 1.0);
  EXPECT_GE(rates.covered, 0.95);
  EXPECT_LE(rates.covered, 0.98);  // the larger of two estimates is on the safe side
  EXPECT_LE(rates.any_false, 0.05);
  EXPECT_GE(rates.found, 0.8);
  EXPECT_LE(rates.found_alone, 0.1);  // why it is pooled
}

TEST(Coverage, PooledWhereTheAssumptionFails) {
  for (double unlike : {2.0, 4.0}) {
    const PooledRates rates = PoolTables(unlike, 1.0);
    EXPECT_GE(rates.covered_unlike, 0.86) << unlike;
    EXPECT_GE(rates.covered, 0.95) << unlike;
    EXPECT_LE(rates.any_false, 0.08) << unlike;
    EXPECT_GE(rates.found, 0.78) << unlike;  // it does not blind the table to the others
  }
  const PooledRates noisy_reference = PoolTables(1.0, 2.0);
  EXPECT_GE(noisy_reference.covered, 0.9);
  EXPECT_LE(noisy_reference.any_false, 0.09);
}

// The eight programs of a factorial table in three builds each, by ContrastLocation; `unlike`: how
// much more the eighth scatters. Contrasts: the seven of the table, and one that rests on the
// eighth and another alone.
struct ContrastRates {
  double covered = 0, covered_pair = 0, any_false = 0, found = 0, found_alone = 0;
};

ContrastRates FactorialTables(double unlike) {
  constexpr int kTables = 2000;
  constexpr size_t kBuilds = 3;
  Rng rng(12);
  ContrastRates rates;
  for (int t = 0; t < kTables; ++t) {
    std::vector<std::vector<double>> contrasts(8, std::vector<double>(kBuilds, 0.0));
    for (size_t b = 0; b < kBuilds; ++b) {
      for (unsigned i = 0; i < 8; ++i) {
        const double log = 0.01 * rng.Normal() * (i == 7 ? unlike : 1.0);
        for (unsigned c = 1; c < 8; ++c)  // Walsh functions, norm 1
          contrasts[c - 1][b] += (std::popcount(i & c) % 2 != 0 ? -log : log) / std::sqrt(8.0);
        if (i >= 6) contrasts[7][b] += i == 7 ? log : -log;
      }
    }
    const std::vector<double> pair = contrasts.back();
    contrasts.pop_back();
    const Scatter programs = ContrastScatter(contrasts);
    std::vector<double> p;
    for (const std::vector<double>& contrast : contrasts) {
      const LogRatio effect = ContrastLocation(contrast, 1.0, programs);
      p.push_back(effect.p_value);
      rates.covered += effect.log.Contains(0.0) / (7.0 * kTables);
    }
    rates.covered_pair += ContrastLocation(pair, 2.0, programs).log.Contains(0.0) / double{kTables};
    const std::vector<double> adjusted = HolmAdjust(p);
    rates.any_false +=
        std::ranges::any_of(adjusted, [](double q) { return q <= 0.05; }) / double{kTables};
    std::vector<double> shifted = contrasts[0];  // by five sigma, among 52 effects
    for (double& x : shifted) x += 0.05;
    constexpr double kEach = 0.05 / 52;
    rates.found += (ContrastLocation(shifted, 1.0, programs).p_value <= kEach) / double{kTables};
    rates.found_alone += (Location(shifted).p_value <= kEach) / double{kTables};
  }
  return rates;
}

TEST(Coverage, ContrastsPooledOverATable) {
  const ContrastRates rates = FactorialTables(1.0);
  EXPECT_GE(rates.covered, 0.95);
  EXPECT_LE(rates.covered, 0.98);
  EXPECT_GE(rates.covered_pair, 0.95);
  EXPECT_LE(rates.any_false, 0.05);
  EXPECT_GE(rates.found, 0.9);
  EXPECT_LE(rates.found_alone, 0.1);
}

// The table's own contrasts weigh all programs alike, so their mean scatter is right for them
// whatever one program does, but it rests on fewer degrees of freedom than they count. A pair with
// the unlike one is not covered as well.
TEST(Coverage, ContrastsOfProgramsThatScatterUnlike) {
  for (double unlike : {2.0, 4.0}) {
    const ContrastRates rates = FactorialTables(unlike);
    EXPECT_GE(rates.covered, 0.93) << unlike;
    EXPECT_LE(rates.any_false, 0.07) << unlike;
    EXPECT_GE(rates.covered_pair, 0.86) << unlike;
  }
}

// A table of twelve variants that are all equal to the reference, ten rounds, shared reference: the
// chance of any "significant" row stays near or below alpha.
TEST(Coverage, FamilyWiseErrorOfATable) {
  constexpr int kTables = 1000, kVariants = 12, kRounds = 10;
  Rng rng(77);
  int any = 0;
  for (int t = 0; t < kTables; ++t) {
    std::vector<double> reference(kRounds);
    for (double& v : reference) v = 0.01 * rng.Normal();
    std::vector<double> p;
    for (int v = 0; v < kVariants; ++v) {
      std::vector<double> d(kRounds);
      for (int r = 0; r < kRounds; ++r)
        d[static_cast<size_t>(r)] = 0.01 * rng.Normal() - reference[static_cast<size_t>(r)];
      p.push_back(Location(d, {0.95, 300, DeriveSeed(3, static_cast<uint64_t>(t * kVariants + v))})
                      .p_value);
    }
    const std::vector<double> adjusted = HolmAdjust(p);
    any +=
        std::any_of(adjusted.begin(), adjusted.end(), [](double q) { return q <= 0.05; }) ? 1 : 0;
  }
  EXPECT_LE(any / static_cast<double>(kTables), 0.07);
}

TEST(Hierarchy, SkipsRoundsWithoutAPair) {
  PairedBuild build = {{{110, 112, 111}, {100, 100, 100}}, {{}, {100}}, {{222}, {200}}};
  const auto ratios = RoundLogRatios(build);
  ASSERT_EQ(ratios.size(), 2u);
  EXPECT_NEAR(ratios[0], std::log(1.11), 1e-12);
  const LogRatio ratio = HierarchicalRatio(std::vector<PairedBuild>{build});
  EXPECT_EQ(ratio.units, 2u);
  EXPECT_NEAR(ratio.Ratio(), 1.11, 1e-9);
}

}  // namespace
}  // namespace smallmind::harness::stats
