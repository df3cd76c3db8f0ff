// Builds another commit beside this one, so that both can run in the same rounds.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>

#include "harness/record.h"

namespace smallmind::harness {

// Checks `ref` out below build_dir/against/<commit> and builds the variant `now` there with the
// commit's own scripts/build, by the toolchain and compiler of `now`. Kept for the next time.
// BadInput where the ref is unknown, does not build, or was built by another compiler. `interrupt`
// ends the build (HarnessError, kExitInterrupted); null: nothing does.
VariantInfo BuildRef(const std::string& ref, const VariantInfo& now,
                     const std::filesystem::path& source_dir,
                     const std::filesystem::path& build_dir,
                     const std::atomic<bool>* interrupt = nullptr);

}  // namespace smallmind::harness
