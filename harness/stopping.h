// When enough rounds have been run.
//
// The rule looks at the width of the comparisons' intervals, never at where they lie: a run does
// not stop because a difference became significant, nor go on because it did not yet. Half-width
// and centre of a symmetric sample are uncorrelated (one is even, the other odd under a change of
// sign), so that a stop by width alone leaves the centre's distribution nearly as it was (Chow &
// Robbins, "On the asymptotic theory of fixed-width sequential confidence intervals", 1965). What
// remains is optimism where the spread happens to be underestimated early; it fades with
// min_rounds. In 20,000 simulated runs at a nominal 5 %, each with its worst target: eight
// variants, whose widest interval decides, 5.0-5.6 % from 8 rounds on; a single pair 6.7 % from 8
// rounds, 5.6 % from 24 (the gate begins at 40); stopping on significance gives two to four times
// the nominal rate. stopping_test.cc repeats the simulation, stalled samples included.
#pragma once

#include <string>
#include <vector>

#include "harness/record.h"

namespace smallmind::harness {

struct StoppingRule {
  int min_rounds = 5;  // before intervals may end the run
  int max_rounds = 30;
  double target_ci_pct = 0;  // half-width of 95 % intervals; 0: always max_rounds
  double budget_s = 0;       // 0: none
  int sure_rounds = 1;       // before the budget may end the run
};

// 95 % half-width of the centre of values, infinity for fewer than three. As for the verdict
// (stats::Location): Student's below stats::kRobustFrom values, from there on the Hodges-Lehmann
// one, by ranks instead of a bootstrap. A few stalled samples then do not keep a run going.
double HalfWidth(const std::vector<double>& values);

// The widest half-width, in percent, over all variants (against the reference), regimes and the
// metrics prefill_tps and decode_tps; over link layouts where the plan has them, as in the report,
// which more rounds narrow only as far as the layouts agree. Only cells that run every round count
// (plan.strides): a variant that is slow enough to sit out rounds differs by far more than any
// width. Infinity where nothing counts: max_rounds or the budget decides.
double WidestInterval(const RunInfo& run, const std::vector<Sample>& samples);

enum class Next { kContinue, kPrecise, kMaxRounds, kBudget };

// Whether a round of `round_s` seconds, begun `elapsed_s` seconds into the run, ends beyond the
// budget.
bool Overruns(const StoppingRule& rule, double elapsed_s, double round_s);

// After `rounds_done` rounds; one that would overrun the budget is not begun, the sure ones are.
Next Decide(const StoppingRule& rule, int rounds_done, double elapsed_s, double round_s,
            double widest_pct);

}  // namespace smallmind::harness
