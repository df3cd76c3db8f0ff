// Names compared as people write them: "q8_0" is "Q8_0". Tested in base_test.cc.
#pragma once

#include <algorithm>
#include <string_view>

namespace smallmind {

// ASCII letters alone have a case.
inline bool SameIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace smallmind
