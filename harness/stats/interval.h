// An estimate with the range that the data support.
#pragma once

#include <limits>

namespace smallmind::harness::stats {

struct Interval {
  double estimate = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  double level = 0.95;  // nominal coverage

  bool Contains(double x) const { return low <= x && x <= high; }
  double HalfWidth() const { return 0.5 * (high - low); }
};

}  // namespace smallmind::harness::stats
