// What tests share: where data lies (the repository's own, and the shared folder beside it), a
// folder of their own, whole files, random vectors, and how long their forms are.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <system_error>
#include <vector>

#include "engine/base/build_info.h"

namespace smallmind {

inline std::filesystem::path TestdataDir() {
  return std::filesystem::path(SMALLMIND_SOURCE_DIR) / "engine" / "testdata";
}

// A folder of this test process alone: the tests of several variants run side by side. Gone when it
// ends.
inline const std::filesystem::path& TestTempDir() {
  struct Folder {
    ~Folder() {
      std::error_code ignored;
      if (getpid() == owner) std::filesystem::remove_all(path, ignored);
    }
    pid_t owner = getpid();
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("smallmind-test-" + std::to_string(owner));
  };
  static const Folder folder;
  std::filesystem::create_directories(folder.path);
  return folder.path;
}

inline std::filesystem::path SharedDir() {
  return std::filesystem::path(SMALLMIND_SOURCE_DIR) / ".." / "shared";
}

// Models that several tests open: a trained one of ../shared, and one of random weights with a
// vocabulary that is always there.
inline std::filesystem::path StoriesModel() {
  return SharedDir() / "models" / "stories260K-f32.gguf";
}
inline std::filesystem::path MixtralModel() { return TestdataDir() / "arch" / "mixtral.gguf"; }

// All of the repository's models, sorted.
inline std::vector<std::filesystem::path> GoldenModels() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(TestdataDir() / "arch")) {
    if (entry.path().extension() == ".gguf") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// A whole file, as std::string or std::vector<uint8_t>; empty where it cannot be read.
template <typename Bytes = std::string>
Bytes ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

// Normal with mean 0.
inline std::vector<float> RandomFloats(size_t n, unsigned seed, float deviation = 1.0f) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal(0.0f, deviation);
  std::vector<float> x(n);
  for (float& v : x) v = normal(rng);
  return x;
}

// Tests that need ../shared begin with this. Where it is absent the test is skipped and says so;
// with SMALLMIND_NEED_SHARED in the environment (.ci/run sets it) the absence is a failure.
#define SMALLMIND_NEED_SHARED(path)                                                              \
  if (const auto needed = ::smallmind::SharedDir() / (path); !std::filesystem::exists(needed)) { \
    if (std::getenv("SMALLMIND_NEED_SHARED") != nullptr) FAIL() << "missing " << needed;         \
    GTEST_SKIP() << "needs " << needed;                                                          \
  }

// How much a test does that has several forms. kFull: SMALLMIND_FULL=1, the nightly workflow's.
// kShort: in rows that are not optimised, have no SIMD or count for a profile, 10 to 60 times as
// slow, every check runs on less; each of those checks runs in the usual form in the other rows.
enum class TestForm { kShort, kUsual, kFull };

inline TestForm FormOfTests() {
  if (std::getenv("SMALLMIND_FULL") != nullptr) return TestForm::kFull;
  const BuildInfo& build = GetBuildInfo();
  const bool slow = build.flags.find("-O0") != std::string_view::npos || build.isa == "scalar" ||
                    build.pgo == "instrument";
  return slow ? TestForm::kShort : TestForm::kUsual;
}

}  // namespace smallmind
