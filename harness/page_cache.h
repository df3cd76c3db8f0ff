// The page cache's hold on a file: how much of it is resident, warming and evicting it.
#pragma once

#include <string>

namespace smallmind::harness {

// Percent of the file's pages in memory; -1 where the kernel does not tell.
double ResidentPct(const std::string& path);

// Reads the file, unless all of it is in memory.
void WarmFile(const std::string& path);

// Reads the file from its disk once more, as far as the kernel drops it. What was just written lies
// in the page cache in small pieces, what was read in pieces of up to 2 MB (ext4, xfs), and who
// maps it takes as many faults (1.1B in Q4_0, from the start to the first token: 1,431 for 796, 63
// ms for 56).
void RereadFile(const std::string& path);

// Asks the kernel to drop the file's clean pages; "" or why pages stayed.
std::string EvictFile(const std::string& path);

}  // namespace smallmind::harness
