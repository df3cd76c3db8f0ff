// Which Highway target runs, and a switch that forces one (for the bit-identity tests).
#pragma once

#include <string>
#include <vector>

namespace smallmind {

// Name of the target that kernels dispatch to now ("AVX3_ZEN4"); for static builds the compiled
// one.
std::string ChosenTarget();
std::string StaticTarget();
bool DispatchIsDynamic();
// Targets that are compiled in and that this CPU can run, best first.
std::vector<std::string> AttainableTargets();
// Restricts dispatch to `name`; call before the first kernel. False where it is not attainable.
// Process-wide by Highway's nature: the CLI's --target calls it once, before any thread exists.
bool ForceTarget(const std::string& name);

}  // namespace smallmind
