// The plan: which cells are measured, and in which order each round visits them.
//
// A cell is variant x layout x model x workload; a round visits every cell once, each in a fresh
// process. Order: the competitors of one block (model x workload) form a Latin square balanced for
// carry-over (Williams 1949): over as many rounds as there are competitors each one stands in each
// position exactly once and follows each other one exactly once (an odd number of them: twice in
// two squares, the second one mirrored). Rows come in a seeded order, and a new seeded permutation
// starts every square. Blocks are shuffled each round. A slow drift of the machine then hits all
// competitors alike, and the pairs that statistics compares (same round, same block) ran within
// seconds of each other. The order of round r depends on the seed and r alone: an interrupted run
// resumes with the very same order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/record.h"

namespace smallmind::harness {

struct Cell {
  int variant = 0;  // index into RunInfo::variants
  int layout = 0;
  int model = 0;     // index into RunInfo::models
  int workload = 0;  // index into RunInfo::workloads
  bool operator==(const Cell&) const = default;
};

inline constexpr int kWarmupRound = -1;

// Training prompts (Workload::training) run in every so many rounds: their question is a side one.
inline constexpr int kTrainingEvery = 2;

class Plan {
 public:
  // Built variants only; skipped ones have no cells. A peer has no layouts.
  Plan(const RunInfo& run, uint64_t seed);

  // Round kWarmupRound is in an order of its own.
  std::vector<Cell> Round(int round) const;
  // Those of round 0, which is as long as a round can be.
  size_t cells_per_round() const { return Round(0).size(); }

  // Bytes of environment padding of a sample, 0..4095: the same for the resumed sample.
  int EnvironmentBytes(int round, const Cell& cell, int attempt) const;

 private:
  struct Competitor {
    int variant, layout;
  };
  struct Block {
    int model, workload;
    bool training;
  };
  uint64_t seed_;
  std::vector<Competitor> competitors_;
  std::vector<Competitor> profiled_;  // rows with a profile and what they are compared with
  std::vector<Block> blocks_;
};

// "p128-n32-t4", of several sequences "p128-n32-t4-s16", of repacked weights "p128-n32-t4-repack";
// repetitions are not part of the name.
std::string WorkloadName(int prompt_tokens, int gen_tokens, int threads, int sequences = 1,
                         bool repack = false);

}  // namespace smallmind::harness
