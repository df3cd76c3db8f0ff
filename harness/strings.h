// Text made of text and numbers.
#pragma once

#include <string>
#include <string_view>

namespace smallmind::harness {

// printf's `format` with one conversion, a double's: Print("%.1f %%", 3) is "3.0 %". Cut at 127
// bytes.
std::string Print(const char* format, double value);

// Every `what` becomes `with`, from left to right; what `with` brings in is not looked at again.
// `what` is not empty.
void ReplaceAll(std::string& text, std::string_view what, std::string_view with);

}  // namespace smallmind::harness
