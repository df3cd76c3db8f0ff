// Tested on the worked example of NIST's handbook, section 7.1.6.
#include "harness/stats/outliers.h"

#include "harness/stats/summary.h"

namespace smallmind::harness::stats {

OutlierFences TukeyFences(std::span<const double> values) {
  const std::vector<double> ascending = Sorted(values);
  const double q1 = QuantileSorted(ascending, 0.25);
  const double q3 = QuantileSorted(ascending, 0.75);
  const double spread = q3 - q1;
  return {q1 - 3.0 * spread, q1 - 1.5 * spread, q3 + 1.5 * spread, q3 + 3.0 * spread};
}

OutlierClass Classify(double value, const OutlierFences& fences) {
  if (value < fences.low_severe) return OutlierClass::kLowSevere;
  if (value < fences.low_mild) return OutlierClass::kLowMild;
  if (value > fences.high_severe) return OutlierClass::kHighSevere;
  if (value > fences.high_mild) return OutlierClass::kHighMild;
  return OutlierClass::kNormal;
}

std::vector<OutlierClass> ClassifyOutliers(std::span<const double> values) {
  const OutlierFences fences = TukeyFences(values);
  std::vector<OutlierClass> classes;
  classes.reserve(values.size());
  for (double v : values) classes.push_back(Classify(v, fences));
  return classes;
}

OutlierCounts CountOutliers(std::span<const double> values) {
  OutlierCounts counts;
  for (OutlierClass c : ClassifyOutliers(values)) {
    switch (c) {
      case OutlierClass::kLowSevere:
        ++counts.low_severe;
        break;
      case OutlierClass::kLowMild:
        ++counts.low_mild;
        break;
      case OutlierClass::kHighMild:
        ++counts.high_mild;
        break;
      case OutlierClass::kHighSevere:
        ++counts.high_severe;
        break;
      case OutlierClass::kNormal:
        break;
    }
  }
  return counts;
}

}  // namespace smallmind::harness::stats
