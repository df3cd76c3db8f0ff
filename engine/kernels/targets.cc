// A thin face on Highway's target selection. Tested in targets_test.cc.
#include "engine/kernels/targets.h"

#include "hwy/highway.h"
#include "hwy/targets.h"

namespace smallmind {
namespace {

// Compiled in and supported here. Asked once, before any forcing: afterwards Highway only tells
// what is forced.
int64_t Attainable() {
  static const int64_t targets = hwy::SupportedTargets() & HWY_TARGETS;
  return targets;
}

// The bit of the best target among `targets`: Highway numbers better ones lower.
int64_t Best(int64_t targets) { return targets & (~targets + 1); }

}  // namespace

std::string StaticTarget() { return hwy::TargetName(HWY_STATIC_TARGET); }

bool DispatchIsDynamic() { return (HWY_TARGETS & (HWY_TARGETS - 1)) != 0; }

std::string ChosenTarget() {
  if (!DispatchIsDynamic()) return StaticTarget();
  (void)Attainable();
  return hwy::TargetName(Best(hwy::SupportedTargets() & HWY_TARGETS));
}

std::vector<std::string> AttainableTargets() {
  if (!DispatchIsDynamic()) return {StaticTarget()};
  std::vector<std::string> names;
  for (int64_t left = Attainable(); left != 0; left &= left - 1) {
    names.push_back(hwy::TargetName(Best(left)));
  }
  return names;
}

bool ForceTarget(const std::string& name) {
  if (!DispatchIsDynamic()) return name == StaticTarget();
  for (int64_t left = Attainable(); left != 0; left &= left - 1) {
    if (name != hwy::TargetName(Best(left))) continue;
    hwy::SetSupportedTargetsForTest(left);  // it and the worse: not every kernel has every target
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    return true;
  }
  return false;
}

}  // namespace smallmind
