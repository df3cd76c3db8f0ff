// The page cache's hold on a file: how much of it is resident, warming and evicting it.
#pragma once

#include <string>

namespace smallmind::harness {

// Percent of the file's pages in memory; -1 where the kernel does not tell.
double ResidentPct(const std::string& path);

// Reads the file, unless all of it is in memory.
void WarmFile(const std::string& path);

// Asks the kernel to drop the file's clean pages; "" or why pages stayed.
std::string EvictFile(const std::string& path);

}  // namespace smallmind::harness
