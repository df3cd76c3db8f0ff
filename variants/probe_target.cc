// Prints the best Highway target that this machine runs and the table's dynamic rows contain. CMake
// compiles and runs it once, with a dynamic row's defines; rows whose expected_target is "best" are
// held to it.
#include <cstdio>

#include "hwy/highway.h"

int main() {
  const long long attainable = hwy::SupportedTargets() & HWY_TARGETS;
  // The lowest bit is the best target.
  std::printf("%s\n", hwy::TargetName(attainable & -attainable));
  return 0;
}
