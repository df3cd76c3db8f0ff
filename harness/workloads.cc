#include "harness/workloads.h"

#include <charconv>
#include <sstream>

#include "harness/error.h"
#include "harness/plan.h"

namespace smallmind::harness {
namespace {

constexpr int kMostTokens = 1 << 20;

std::vector<int> ParseList(const std::string& text, const std::string& flag, int least = 1,
                           int most = kMostTokens) {
  std::vector<int> values;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    int value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size() || value < least || value > most) {
      throw RunError(flag + ": \"" + part + "\" is not a number from " + std::to_string(least) +
                     " to " + std::to_string(most));
    }
    values.push_back(value);
  }
  if (values.empty()) throw RunError(flag + " is empty");
  return values;
}

}  // namespace

std::vector<Workload> MakeWorkloads(const std::string& prompts, const std::string& gens,
                                    const std::string& threads, const std::string& sequences,
                                    const std::string& repack, int reps) {
  std::vector<Workload> workloads;
  for (const int p : ParseList(prompts, "-p")) {
    for (const int n : ParseList(gens, "-n")) {
      for (const int t : ParseList(threads, "-t")) {
        for (const int s : ParseList(sequences, "-s")) {
          for (const bool r : ParseList(repack, "--repack", 0, 1)) {
            workloads.push_back({WorkloadName(p, n, t, s, r), p, n, t, reps, false, s, r});
          }
        }
      }
    }
  }
  for (size_t i = 0; i < workloads.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (workloads[i].name == workloads[j].name) {
        throw RunError("workload " + workloads[i].name + " is asked for twice");
      }
    }
  }
  return workloads;
}

void AddTrainingPrompts(std::vector<Workload>& workloads) {
  const size_t count = workloads.size();
  for (size_t i = 0; i < count; ++i) {
    Workload twin = workloads[i];
    twin.name = std::string(kTrainingPrefix) + twin.name;
    twin.training = true;
    workloads.push_back(std::move(twin));
  }
}

}  // namespace smallmind::harness
