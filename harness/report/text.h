// Numbers and padded text for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/stats/hierarchy.h"

namespace smallmind::harness {

// Three significant figures at least, never an exponent: 0.42, 4.01, 42.3, 170.1, 1204. "-" for
// NaN.
std::string Figure(double value);
// "1.25 [1.23-1.27]" with an en dash; "-" without an estimate, "1.25 [?]" where the data bound
// nothing.
std::string RatioText(const stats::LogRatio& ratio);
std::string IntervalText(double low, double high);
std::string PercentText(double fraction);  // 0.031 -> "3.1 %"
std::string MegabyteText(int64_t bytes);   // 10^6 bytes
std::string PValueText(double p);          // "0.003", "<0.001"

// Columns that a terminal uses for UTF-8 text: combining marks 0, East Asian wide and emoji 2, else
// 1; a malformed byte counts 1.
size_t DisplayWidth(std::string_view text);
// Cut to `width` columns with an ellipsis where needed, then padded.
std::string PadRight(std::string_view text, size_t width);
std::string PadLeft(std::string_view text, size_t width);
std::string Truncate(std::string_view text, size_t width);

}  // namespace smallmind::harness
