// The page cache's hold on a file: how much of it is resident, warming and evicting it.
#pragma once

#include <string>

namespace smallmind::harness {

// Percent of the file's pages in memory; -1 where the kernel does not tell.
double ResidentPct(const std::string& path);

// Reads the file, unless all of it is in memory.
void WarmFile(const std::string& path);

// Reads the file from its disk once more, as far as the kernel drops it. What was just written lies
// in the page cache in smaller pieces than what was read (ext4: up to 2 MB), and a process that
// maps it takes more faults: from the start to the first token of 1.1B in Q4_0 1,431 and 63 ms, 796
// and 56 ms after reading.
void RereadFile(const std::string& path);

// Asks the kernel to drop the file's clean pages; "" or why pages stayed.
std::string EvictFile(const std::string& path);

}  // namespace smallmind::harness
