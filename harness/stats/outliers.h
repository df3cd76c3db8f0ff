// Tukey's outlier classes. They label values and never remove one.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace smallmind::harness::stats {

enum class OutlierClass { kLowSevere, kLowMild, kNormal, kHighMild, kHighSevere };

// Fences at 1.5 (mild) and 3 (severe) interquartile ranges from the quartiles (Quantile, type 7).
struct OutlierFences {
  double low_severe = 0.0, low_mild = 0.0, high_mild = 0.0, high_severe = 0.0;
};

struct OutlierCounts {
  size_t low_severe = 0, low_mild = 0, high_mild = 0, high_severe = 0;
  size_t total() const { return low_severe + low_mild + high_mild + high_severe; }
};

OutlierFences TukeyFences(std::span<const double> values);
OutlierClass Classify(double value, const OutlierFences& fences);
std::vector<OutlierClass> ClassifyOutliers(std::span<const double> values);
OutlierCounts CountOutliers(std::span<const double> values);

}  // namespace smallmind::harness::stats
