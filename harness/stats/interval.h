// An estimate with the range that the data support.
#pragma once

#include <limits>

namespace smallmind::harness::stats {

// What has no value.
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Interval {
  double estimate = kNan;
  double low = kNan;
  double high = kNan;
  double level = 0.95;  // nominal coverage

  bool Contains(double x) const { return low <= x && x <= high; }
  double HalfWidth() const { return 0.5 * (high - low); }
};

}  // namespace smallmind::harness::stats
