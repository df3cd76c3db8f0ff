// For tests: runs a check on every Highway target this CPU can run.
#pragma once

#include <string>
#include <vector>

#include "engine/kernels/targets.h"

namespace smallmind {

// Targets whose fma is fused: bit-identical to the oracles. The others round twice.
inline bool TargetHasFma(const std::string& name) {
  return name != "SSE2" && name != "SSSE3" && name != "SSE4" && name != "EMU128" &&
         name != "SCALAR";
}

// Calls fn(name) with dispatch restricted to each attainable target, then returns to the best.
template <class Fn>
void ForEachTarget(Fn fn) {
  const std::vector<std::string> names = AttainableTargets();
  for (const std::string& name : names) {
    if (ForceTarget(name)) fn(name);
  }
  ForceTarget(names.front());
}

}  // namespace smallmind
