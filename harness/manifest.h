// The build manifest (build/variants/manifest.json): which variants there are, and why others are
// not.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/record.h"

namespace smallmind::harness {

struct Manifest {
  std::string path;
  std::string toolchain;
  std::string compiler;
  std::string git;
  bool dirty = false;
  std::vector<VariantInfo> variants;  // in the manifest's order, skipped ones included
};

// The same from text; `path` stands for the file in messages, binaries are relative to build_dir.
Manifest ParseManifest(const std::string& text, const std::string& path,
                       const std::filesystem::path& build_dir);

// Paths of binaries come back absolute. BadInput names the file and what is wrong with it.
Manifest ReadManifest(const std::filesystem::path& build_dir);

// Several manifests in one comparison (toolchains): variants of all but the first are renamed
// NAME@TOOLCHAIN. `files` are the manifest files themselves, at least one.
Manifest ReadManifests(const std::vector<std::string>& files);

// The build directory that this program lies in (<build>/bin/harness), wherever it is called from.
std::filesystem::path BuildDirectory();

// `wanted` is a comma-separated list of names and groups, or "all"; a plain name also finds its
// NAME@TOOLCHAIN twins. Skipped variants come back only
// where they were named or "all" was asked for. RunError names unknown ones and lists the known.
std::vector<VariantInfo> SelectVariants(const Manifest& manifest, const std::string& wanted);

}  // namespace smallmind::harness
