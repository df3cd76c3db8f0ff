// How many CPUs this process may use.
#pragma once

#include <cstddef>

namespace smallmind {

// CPUs in the affinity mask, limited by the cgroup's CPU quota (rounded up); at least 1.
size_t UsableCpus();

}  // namespace smallmind
