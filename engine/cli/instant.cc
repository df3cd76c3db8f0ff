#include "engine/cli/instant.h"

#include <sys/resource.h>

#include "engine/runtime/clock.h"

namespace smallmind {

Instant Instant::Now() {
  Instant now;
  now.t_ns = NowNs();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  now.minor_faults = usage.ru_minflt;
  now.major_faults = usage.ru_majflt;
  return now;
}

}  // namespace smallmind
