// Tested through claims_test.cc on synthetic runs with planted answers.
#include "harness/claim_bench.h"

#include <algorithm>
#include <cmath>

#include "harness/strings.h"

namespace smallmind::harness {
namespace {

constexpr double kMegabyte = 1e6;

std::string ClaimFigure(double value) {
  return Print(std::fabs(value) < 10 ? "%.2f" : "%.1f", value);
}

std::string Explain(const Claim& c) {
  const bool exact = c.measured.low == c.measured.high;
  const std::string what = exact ? ClaimFigure(c.measured.low) + " " + c.unit + " lies "
                                 : "the whole interval, " + ClaimFigure(c.measured.low) + "-" +
                                       ClaimFigure(c.measured.high) + " " + c.unit + ", lies ";
  switch (c.verdict) {
    case ClaimVerdict::kConfirmed:
      return what + "inside";
    case ClaimVerdict::kRefuted:
      return what + (c.measured.low > c.expected_high ? "above" : "below");
    case ClaimVerdict::kInconclusive:
      return std::isfinite(c.measured.low) && std::isfinite(c.measured.high)
                 ? "the interval, " + ClaimFigure(c.measured.low) + "-" +
                       ClaimFigure(c.measured.high) + " " + c.unit + ", reaches across an edge"
                 : "too few rounds for an interval";
  }
  return "";
}

stats::Interval Scaled(const stats::LogRatio& ratio, const Claim& claim, bool gain) {
  stats::Interval i{ratio.Ratio(), ratio.Low(), ratio.High(), ratio.log.level};
  if (gain) i = {1.0 / i.estimate, 1.0 / i.high, 1.0 / i.low, i.level};
  if (claim.unit == "%") {
    i = {100.0 * (i.estimate - 1.0), 100.0 * (i.low - 1.0), 100.0 * (i.high - 1.0), i.level};
  } else if (claim.unit == "% lower") {
    i = {100.0 * (1.0 - i.estimate), 100.0 * (1.0 - i.high), 100.0 * (1.0 - i.low), i.level};
  }
  return i;
}

}  // namespace

void ClaimBench::Ratio(const Claim& c, bool gain) {
  for (const Regime& regime : series_.regimes()) {
    Claim claim = c;
    claim.regime = regime;
    claim.unit = claim.unit.empty() ? "x" : claim.unit;
    if (!Present(claim, {claim.variant, claim.baseline})) continue;
    const Comparison pair =
        ComparePair(series_, claim.variant, claim.baseline, regime, claim.metric, options_);
    if (pair.pairs == 0) {
      claim.reason = "no round measured both";
      claim.beyond_interval = true;
    } else {
      claim.measured = Scaled(pair.ratio(), claim, gain);
      Settle(claim);
      CheckAgainst(Scaled(pair.all, claim, gain), claim);
    }
    claims.push_back(claim);
  }
  if (series_.regimes().empty()) Missing(c);
}

void ClaimBench::Absolute(const Claim& c) {
  for (const Regime& regime : series_.regimes()) {
    Claim claim = c;
    claim.regime = regime;
    if (!Present(claim, {claim.variant})) continue;
    const MetricSummary all =
        SummariseCell(series_, claim.variant, regime, claim.metric, Cleanliness::kAll, options_);
    const MetricSummary clean = SummariseCell(series_, claim.variant, regime, claim.metric,
                                              Cleanliness::kCleanOnly, options_);
    if (all.n == 0) {
      claim.reason = "not measured";
    } else {
      const bool rests_on_clean = clean.n >= options_.min_clean_rounds || clean.n == all.n;
      claim.measured = rests_on_clean ? clean.interval : all.interval;
      Settle(claim);
      CheckAgainst(all.interval, claim);
    }
    claims.push_back(claim);
  }
  if (series_.regimes().empty()) Missing(c);
}

void ClaimBench::Size(Claim claim) {
  claim.metric = "stripped_bytes";
  claim.unit = "MB";
  const VariantInfo* v = FindVariant(run_, claim.variant);
  if (v == nullptr || v->size.stripped_bytes <= 0) {
    Missing(claim);
    return;
  }
  const double size = static_cast<double>(v->size.stripped_bytes) / kMegabyte;
  claim.measured = {size, size, size, 1.0};
  Settle(claim);
  claims.push_back(claim);
}

void ClaimBench::IdenticalOutputs(Claim claim) {
  size_t same = 0, other = 0;
  std::string example;
  for (const OutputCheck& check : outputs_) {
    if (check.status == OutputStatus::kSame) ++same;
    if (Disqualifies(check.status)) {
      ++other;
      if (example.empty())
        example = check.variant + " on " + check.regime.model + ": " + check.detail;
    }
  }
  claim.unit = "%";
  if (same + other == 0) {
    claim.reason = "no outputs were compared";
  } else {
    const double share = 100.0 * static_cast<double>(same) / static_cast<double>(same + other);
    claim.measured = {share, share, share, 1.0};
    claim.verdict = other == 0 ? ClaimVerdict::kConfirmed : ClaimVerdict::kRefuted;
    claim.beyond_interval = true;
    claim.reason = other == 0 ? "tokens and logits agree bit for bit in all " +
                                    std::to_string(same) + " comparisons"
                              : example;
  }
  claims.push_back(claim);
}

bool ClaimBench::Present(const Claim& claim, std::initializer_list<std::string> needed) {
  const bool all = std::ranges::all_of(needed, [&](const std::string& name) {
    return std::ranges::find(series_.variants(), name) != series_.variants().end();
  });
  if (!all) Missing(claim);
  return all;
}

// One row, not one a regime, for what was not measured at all.
void ClaimBench::Missing(Claim claim) {
  for (const Claim& c : claims) {
    if (c.id == claim.id) return;
  }
  claim.regime = {};
  claim.reason = "not measured in this run";
  claim.beyond_interval = true;
  claims.push_back(claim);
}

void ClaimBench::Settle(Claim& claim) const {
  claim.verdict = JudgeRange(claim.measured, claim.expected_low, claim.expected_high);
  claim.reason = Explain(claim);
  for (const OutputCheck& check : outputs_) {
    if (check.variant == claim.variant && check.regime == claim.regime &&
        Disqualifies(check.status)) {
      claim.verdict = ClaimVerdict::kInconclusive;
      claim.reason = "its output differs from the reference: " + check.detail;
      claim.beyond_interval = true;
    }
  }
}

// `all`: the same with the contaminated samples.
void ClaimBench::CheckAgainst(const stats::Interval& all, Claim& claim) const {
  const auto judged = [&](const stats::Interval& interval) {
    return JudgeRange(interval, claim.expected_low, claim.expected_high);
  };
  if (judged(all) == judged(claim.measured)) return;
  claim.verdict = ClaimVerdict::kInconclusive;
  claim.reason = "with the contaminated samples the verdict would be another";
  claim.beyond_interval = true;
}

}  // namespace smallmind::harness
