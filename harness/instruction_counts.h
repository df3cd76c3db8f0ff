// How many instructions a variant executes for a token, counted by valgrind's callgrind: for
// machines that hide their hardware counters.
//
// One thread, the run's smallest model, three short processes a variant, all under callgrind. Two
// differ in the prompt's length alone, two in the generated tokens' number alone: the differences
// are the prompt's and the generated tokens' own, free of startup and of valgrind itself. Valgrind
// knows no AVX-512: programs that dispatch are capped at AVX2 by their own switch, programs
// compiled for AVX-512 alone cannot run and say so. Counts need no quiet machine: variants are
// counted side by side.
#pragma once

#include <string>

#include "harness/process.h"
#include "harness/record.h"

namespace smallmind::harness {

struct CountingOptions {
  std::string valgrind;   // path; "" = not here
  double timeout_s = 20;  // of one process; what is slower is left out, with that reason
  int workers = 1;        // processes at a time; `processes` must allow that
};

// Replaces run.instructions: one entry for each built variant, peers left out. An interrupt leaves
// the rest uncounted.
void CountInstructions(RunInfo& run, ProcessRunner& processes, const CountingOptions& options);

// "/usr/bin/valgrind", or "" where PATH has none.
std::string FindValgrind();

}  // namespace smallmind::harness
