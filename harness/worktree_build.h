// Builds another commit beside this one, so that both can run in the same rounds.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>

#include "harness/record.h"

namespace smallmind::harness {

// Checks `ref` out below build_dir/against/<commit> and builds `variant` there with the commit's
// own scripts/build and `toolchain` (gcc or clang). Kept for the next time. BadInput where the ref
// is unknown or does not build. `interrupt` ends the build; null: nothing does.
VariantInfo BuildRef(const std::string& ref, const std::string& variant,
                     const std::string& toolchain, const std::filesystem::path& source_dir,
                     const std::filesystem::path& build_dir,
                     const std::atomic<bool>* interrupt = nullptr);

}  // namespace smallmind::harness
