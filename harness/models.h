// The models of a run: given as GGUF files, or by name and then made when they are missing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/process.h"
#include "harness/record.h"

namespace smallmind::harness {

inline constexpr const char* kDefaultModels = "stories15m-q8_0,smollm2-135m-q8_0";

// Each part of the comma-separated `wanted` is a path (it has a '/' or ends in .gguf) or
// PRESET-QUANT, which lies in build_dir/models/PRESET-QUANT.gguf and is made there by `maker`'s
// make-model (a variant's binary) when it is missing: under a lock, to a temporary file, renamed.
// BadInput names a model that cannot be read or made.
std::vector<ModelInfo> ResolveModels(const std::string& wanted,
                                     const std::filesystem::path& build_dir,
                                     const std::string& maker, ProcessRunner& processes);

}  // namespace smallmind::harness
