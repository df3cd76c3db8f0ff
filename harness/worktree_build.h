// Builds another commit beside this one, so that both can run in the same rounds.
#pragma once

#include <filesystem>
#include <string>

#include "harness/record.h"

namespace smallmind::harness {

// Checks `ref` out below build_dir/against/<commit> and builds `variant` there with the commit's
// own scripts/build. Kept for the next time. BadInput where the ref is unknown or does not build.
VariantInfo BuildRef(const std::string& ref, const std::string& variant,
                     const std::filesystem::path& source_dir,
                     const std::filesystem::path& build_dir);

}  // namespace smallmind::harness
