// Workloads from llama-bench's short flags, each of which takes a list: -p 128,512 -n 32 -t 1,4 -r
// 3 is four workloads. -s 4 decodes four sequences together; --repack 1 repacks the weights.
#pragma once

#include <string>
#include <vector>

#include "harness/record.h"

namespace smallmind::harness {

// RunError for anything that is not a positive number, or 0 or 1 for --repack, naming the flag. -n
// must be at least 1: without a generated token there is no first-token latency.
std::vector<Workload> MakeWorkloads(const std::string& prompts, const std::string& gens,
                                    const std::string& threads, const std::string& sequences,
                                    const std::string& repack, int reps);

// A twin of each workload on the prompts that profiles were trained on (Workload::training).
void AddTrainingPrompts(std::vector<Workload>& workloads);

}  // namespace smallmind::harness
