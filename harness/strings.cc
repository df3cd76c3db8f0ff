// Tested through the reports, whose figures and pictures are made of it.
#include "harness/strings.h"

#include <cstdio>

namespace smallmind::harness {

std::string Print(const char* format, double value) {
  char text[128];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

void ReplaceAll(std::string& text, std::string_view what, std::string_view with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace smallmind::harness
