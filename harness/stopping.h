// When enough rounds have been run.
//
// The rule looks at the width of the comparisons' intervals, never at where they lie: a run does
// not stop because a difference became significant, nor go on because it did not yet. For paired
// log ratios with normal noise the sample mean is independent of the sample variance, so a stop
// that depends on the variance alone leaves the mean's distribution as it was (Chow & Robbins, "On
// the asymptotic theory of fixed-width sequential confidence intervals", 1965). What remains is
// optimism where the variance happens to be underestimated early. Simulated at a nominal 5 %: eight
// variants, whose widest interval decides, give 5.0-5.6 % false positives; a single pair, as in a
// gate, at its worst target 6.7 %; stopping on significance gives three to four times the nominal
// rate. stopping_test.cc repeats the simulation.
#pragma once

#include <string>
#include <vector>

#include "harness/record.h"

namespace smallmind::harness {

struct StoppingRule {
  int min_rounds = 5;
  int max_rounds = 30;
  double target_ci_pct = 0;  // half-width of 95 % intervals; 0: always max_rounds
  double budget_s = 0;       // 0: none
};

// 95 % half-width of the mean of values, as Student has it; infinity for fewer than three.
double HalfWidth(const std::vector<double>& values);

// The widest half-width, in percent, over all variants (against the reference), regimes and the
// metrics prefill_tps and decode_tps. Only cells that run every round count (plan.strides): a
// variant that is slow enough to sit out rounds differs by far more than any width.
double WidestInterval(const RunInfo& run, const std::vector<Sample>& samples);

enum class Next { kContinue, kPrecise, kMaxRounds, kBudget };

// After `rounds_done` rounds that took `elapsed_s`; a round that would overrun the budget is not
// begun.
Next Decide(const StoppingRule& rule, int rounds_done, double elapsed_s, double widest_pct);

}  // namespace smallmind::harness
