// What a row with a profile is compared with to see what the profile gives: the same row without
// one.
#pragma once

#include <string>

#include "harness/record.h"

namespace smallmind::harness {

// The built row that differs from `variant` in its profile alone (toolchain, isa, dispatch, LTO and
// levels of optimisation are the same); where the run has none, the reference.
std::string ProfileBase(const RunInfo& run, const VariantInfo& variant);

}  // namespace smallmind::harness
