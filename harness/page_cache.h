// The page cache's hold on a file: how much of it is resident, warming and evicting it.
#pragma once

#include <string>

namespace smallmind::harness {

// Percent of the file's pages in memory; -1 where the kernel does not tell.
double ResidentPct(const std::string& path);

// Reads the file, by huge pages where the file system has them, unless all of it is in memory.
void WarmFile(const std::string& path);

// Percent of the file that a process maps by huge pages; -1 where the kernel does not tell.
double HugeMappedPct(const std::string& path);

// Reads the file from its disk once more, as far as the kernel drops it.
void RereadFile(const std::string& path);

// Rereads the file if less than nine tenths of it is mapped by huge pages. What was just written,
// or was read without asking for them, lies in the page cache in smaller pieces, and every process
// that maps it pays. From the start to the first token of 1.1B in Q4_0 on two virtual machines: 47
// ms in huge pages and 56; in small ones 205 and 40. Where huge pages never come (other file
// systems), or the kernel does not tell, this is one more reading a run. HugeMappedPct afterwards.
double SettleFile(const std::string& path);

// Asks the kernel to drop the file's clean pages; "" or why pages stayed.
std::string EvictFile(const std::string& path);

}  // namespace smallmind::harness
