// Where the harness's tests find the launcher and the fake variant.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace smallmind::harness {

// bin/launcher of the build tree that holds the running test.
inline std::string LauncherPath() {
  auto folder = std::filesystem::canonical("/proc/self/exe").parent_path();
  while (folder.has_relative_path()) {
    if (const auto path = folder / "bin" / "launcher"; std::filesystem::exists(path)) return path;
    folder = folder.parent_path();
  }
  return "launcher-not-built";
}

inline std::string FakeVariantPath() {
  return SMALLMIND_SOURCE_DIR "/harness/testing/fake_variant.py";
}

// A folder of this test process alone: tests run side by side, once a variant and toolchain. Gone
// when it ends.
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

}  // namespace smallmind::harness
