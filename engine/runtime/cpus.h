// Which CPUs this process may use, and how many.
#pragma once

#include <cstddef>
#include <span>

namespace smallmind {

// CPUs in the affinity mask, limited by the quota of its cgroups (rounded up); at least 1.
size_t UsableCpus();

// The CPU that the calling thread is on now; −1 where the kernel does not say.
int CurrentCpu();

// Moves the calling thread to the `steps`-th usable CPU after `from`, round and round, and leaves
// it free to be moved on. Does nothing where the kernel refuses.
void MoveToCpu(int from, size_t steps);

// The same, to the `pick`-th usable CPU (round and round) that is not in `taken`; false where there
// is none.
bool MoveOffCpus(std::span<const int> taken, size_t pick);

}  // namespace smallmind
