// The interval of a ratio over few builds (link layouts), with their scatter learned from many
// programs at once.
//
// Three builds of one program leave its scatter two degrees of freedom, and a test that is adjusted
// over a table sees nothing with two. The builds of all its programs are linked by the same rule,
// so their logs are taken to scatter alike, the reference's too (the assumption): the residual of
// programs x builds has programs * (builds - 1) degrees of freedom. Where it fails:
//   - the larger counts: of a program's own scatter and the pooled one, and so for the reference's;
//   - a program that scatters more than the others beyond chance (F test at kContradiction) is left
//     its own scatter and degrees of freedom, and one that does so beyond doubt (kStranger over
//     all) is no part of the others' pool; one that scatters less is judged by the others'.
// Simulated, 14 programs in three builds: a nominal 95 % covers 96.7 %, and 2 % of tables have a
// false positive where 5 % may. One program of two to five times the scatter is covered in 88 to
// 91 %, and at most 7 % of tables with it have one; with a reference of twice the others' scatter
// these are 92 % and 7 %.
#pragma once

#include <span>
#include <vector>

#include "harness/stats/hierarchy.h"

namespace smallmind::harness::stats {

inline constexpr double kContradiction = 0.1;
inline constexpr double kStranger = 0.01;  // that a table of alike programs loses one

// Of one build's logs.
struct Scatter {
  double variance = 0.0;
  double df = 0.0;
};

// The centre of each build's log-ratios; builds without values do not count.
std::vector<double> BuildCentres(const std::vector<PairedBuild>& builds);

// Location of one program's `centres` against a reference, at least two and fewer than kRobustFrom;
// `others`: those of other programs against the same reference, build by build. Others with another
// number of builds do not count.
LogRatio PooledLocation(std::span<const double> centres,
                        const std::vector<std::vector<double>>& others,
                        const RatioOptions& options = {});

// Effects of a factorial table likewise. Simulated, eight programs in three builds: a nominal 95 %
// covers 96 %, and 3 % of tables have a false positive; one program of four times the others'
// scatter makes that 94 % and 6 %, and contrasts of it with a single other one are covered in 88 %.
//
// A program's scatter, from orthogonal contrasts of a table of programs, each of norm 1 and given
// build by build; at least two builds, the same for all. Programs that scatter unlike are averaged.
Scatter ContrastScatter(const std::vector<std::vector<double>>& contrasts);

// Location of a contrast with that sum of squared weights, one value a build, at least two and
// fewer than kRobustFrom. The larger of its own scatter and the programs' counts; where its own
// exceeds theirs beyond chance, its own alone.
LogRatio ContrastLocation(std::span<const double> values, double squared_weights,
                          const Scatter& programs, const RatioOptions& options = {});

}  // namespace smallmind::harness::stats
