// Every stream of random numbers is derived from (seed, what it is for): no draw depends on how
// many came before it, which is what makes resuming exact. Balance, determinism and resuming are
// tested in plan_test.cc.
#include "harness/plan.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <string>

#include "harness/profile_base.h"
#include "harness/stats/rng.h"

namespace smallmind::harness {
namespace {

uint64_t Derive(uint64_t seed, std::initializer_list<uint64_t> parts) {
  for (const uint64_t part : parts) seed = stats::DeriveSeed(seed, part);
  return seed;
}

// 0, 1, n−1, 2, n−2, …: differences of neighbours are all different modulo an even n, so that in
// its n shifts every ordered pair of neighbours occurs once.
uint64_t Williams(uint64_t i, uint64_t n) { return i % 2 == 1 ? (i + 1) / 2 : (n - i / 2) % n; }

enum Purpose : uint64_t { kBlockOrder = 1, kSquare = 2, kEnvironment = 3 };

}  // namespace

Plan::Plan(const RunInfo& run, uint64_t seed) : seed_(seed) {
  for (size_t v = 0; v < run.variants.size(); ++v) {
    if (run.variants[v].status != "built") continue;
    const int layouts = static_cast<int>(run.variants[v].layouts.size());
    for (int layout = 0; layout <= layouts; ++layout) {
      competitors_.push_back({static_cast<int>(v), layout});
    }
  }
  std::set<std::string> profiled;
  for (const VariantInfo& v : run.variants) {
    if (v.status != "built" || v.pgo != "use") continue;
    profiled.insert(v.name);
    profiled.insert(ProfileBase(run, v));
  }
  for (const Competitor& c : competitors_) {
    if (c.layout == 0 && profiled.contains(run.variants[static_cast<size_t>(c.variant)].name)) {
      profiled_.push_back(c);
    }
  }
  for (size_t m = 0; m < run.models.size(); ++m) {
    for (size_t w = 0; w < run.workloads.size(); ++w) {
      blocks_.push_back({static_cast<int>(m), static_cast<int>(w), run.workloads[w].training});
    }
  }
}

std::vector<Cell> Plan::Round(int round) const {
  const uint64_t index = static_cast<uint64_t>(round + 1);  // the warm-up round is 0
  std::vector<size_t> block_order(blocks_.size());
  std::iota(block_order.begin(), block_order.end(), size_t{0});
  stats::Rng(Derive(seed_, {kBlockOrder, index})).Shuffle(block_order);

  std::vector<Cell> cells;
  for (const size_t b : block_order) {
    // No warm-up of its own: the binaries and models are warm from the other workloads.
    if (blocks_[b].training && (round < 0 || round % kTrainingEvery != 0)) continue;
    std::vector<Competitor> order = blocks_[b].training ? profiled_ : competitors_;
    const uint64_t n = order.size();
    if (n == 0) continue;
    // Round 0 begins the first square; the warm-up stands outside.
    const uint64_t square = round < 0 ? UINT64_MAX : static_cast<uint64_t>(round) / n;
    const bool paired = n % 2 == 1;  // squares 2k and 2k + 1 share a permutation
    const bool mirrored = paired && round >= 0 && square % 2 == 1;
    stats::Rng rng(Derive(seed_, {kSquare, b, paired ? square / 2 : square}));
    rng.Shuffle(order);
    std::vector<uint64_t> rows(n);
    std::iota(rows.begin(), rows.end(), uint64_t{0});
    rng.Shuffle(rows);
    const uint64_t row = round < 0 ? 0 : rows[static_cast<uint64_t>(round) % n];
    for (uint64_t i = 0; i < n; ++i) {
      const Competitor& competitor = order[(Williams(mirrored ? n - 1 - i : i, n) + row) % n];
      cells.push_back(
          {competitor.variant, competitor.layout, blocks_[b].model, blocks_[b].workload});
    }
  }
  return cells;
}

int Plan::EnvironmentBytes(int round, const Cell& cell, int attempt) const {
  const auto u = [](int value) { return static_cast<uint64_t>(value + 1); };
  return static_cast<int>(
      stats::Rng(Derive(seed_, {kEnvironment, u(round), u(cell.variant), u(cell.layout),
                                u(cell.model), u(cell.workload), u(attempt)}))
          .Below(4096));
}

std::string WorkloadName(int prompt_tokens, int gen_tokens, int threads, int sequences,
                         bool repack) {
  return "p" + std::to_string(prompt_tokens) + "-n" + std::to_string(gen_tokens) + "-t" +
         std::to_string(threads) + (sequences > 1 ? "-s" + std::to_string(sequences) : "") +
         (repack ? "-repack" : "");
}

}  // namespace smallmind::harness
