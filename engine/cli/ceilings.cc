// Every pass is one Run of a thread team, so that all threads work at the same time; the best pass
// counts, because noise only ever slows one down.

#include "engine/cli/ceilings.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "engine/base/huge_pages.h"
#include "engine/kernels/ceilings.h"
#include "engine/runtime/clock.h"
#include "engine/runtime/memory_size.h"
#include "engine/runtime/thread_team.h"

namespace smallmind {
namespace {

constexpr size_t kIterations = 200'000;
constexpr int kPasses = 7;
// All reading passes together: a fifth of a second or more, for a virtual machine's bandwidth comes
// in bursts.
constexpr size_t kReadInAll = size_t{6} << 30;

// work(worker) returns operations or bytes; the result is 10^9 of them a second.
template <typename Work>
double Best(int passes, ThreadTeam& team, const Work& work) {
  double best = 0;
  for (int pass = 0; pass < passes; ++pass) {
    std::vector<double> done(team.size(), 0.0);
    const int64_t begin = NowNs();
    team.Run([&](Worker& w) { done[w.index()] = work(w); });
    const double seconds = static_cast<double>(NowNs() - begin) * 1e-9;
    double total = 0;
    for (double d : done) total += d;
    best = std::max(best, total / seconds * 1e-9);
  }
  return best;
}

}  // namespace

std::vector<CeilingValue> MeasureCeilings(size_t threads) {
  ThreadTeam team(threads);
  std::atomic<uint64_t> sink{0};  // keeps the reads alive
  std::vector<CeilingValue> values;
  {
    const size_t bytes = BytesBeyondCache();
    const int passes = static_cast<int>(std::max<size_t>(kReadInAll / bytes, 3));
    // On small pages the prefetchers stop at every page's end: 5 % less on Zen 4.
    HugePages pages(bytes);
    uint8_t* const data = pages.bytes().data();
    team.Run([&](Worker& w) {
      const size_t share = bytes / w.count();
      std::memset(data + w.index() * share, 1, share);
    });
    values.push_back({"read_gbps", Best(passes, team, [&](Worker& w) {
                        const size_t share = bytes / w.count() / 64 * 64;
                        sink += ReadWork({data + w.index() * share, share});
                        return static_cast<double>(share);
                      })});
  }
  const auto arithmetic = [&](const char* name, CeilingWork (*work)(size_t)) {
    values.push_back({name, Best(kPasses, team, [&](Worker&) {
                        const CeilingWork done = work(kIterations);
                        sink += static_cast<uint64_t>(done.sink != 0.0f);
                        return done.operations;
                      })});
  };
  arithmetic("fma_gflops", FmaWork);
  arithmetic("int8_gops", Int8DotWork);
  arithmetic("bf16_gflops", Bf16DotWork);
  return values;
}

}  // namespace smallmind
