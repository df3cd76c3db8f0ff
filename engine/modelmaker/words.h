// Common English words, most frequent first: what the synthetic vocabularies are trained on.
#pragma once

#include <string_view>

namespace smallmind {

// Separated by single spaces, lower case.
std::string_view CommonWords();

}  // namespace smallmind
