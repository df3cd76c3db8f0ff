// Tested against the examples of Newcombe, "Two-sided confidence intervals for the single
// proportion" (1998).
#include "harness/stats/binomial.h"

#include <algorithm>
#include <cmath>

#include "harness/stats/interval.h"
#include "harness/stats/special.h"

namespace smallmind::harness::stats {
Interval WilsonInterval(size_t successes, size_t n, double level) {
  if (n == 0) return {kNan, 0.0, 1.0, level};
  const double count = static_cast<double>(n);
  const double share = static_cast<double>(successes) / count;
  const double z = NormalQuantile(0.5 * (1.0 + level));
  const double scale = 1.0 + z * z / count;
  const double centre = (share + z * z / (2.0 * count)) / scale;
  const double reach =
      z * std::sqrt(share * (1.0 - share) / count + z * z / (4.0 * count * count)) / scale;
  return {share, std::max(0.0, centre - reach), std::min(1.0, centre + reach), level};
}

}  // namespace smallmind::harness::stats
