// Tested with a repository whose build script only copies a file (worktree_build_test.cc).
#include "harness/worktree_build.h"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "harness/error.h"
#include "harness/manifest.h"
#include "harness/process.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

constexpr double kBuildTimeoutS = 3600;

ProcessResult Execute(std::vector<std::string> argv, const fs::path& launcher,
                      const std::atomic<bool>* interrupt = nullptr,
                      std::map<std::string, std::string> environment = {}) {
  ProcessRequest request;
  request.argv = std::move(argv);
  request.environment = std::move(environment);
  request.timeout_s = kBuildTimeoutS;
  return RealProcessRunner(launcher.string(), interrupt).Run(request);
}

std::string LastLine(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

// CXX as scripts/build takes it: the compiler of the tree that holds BUILD/variants/NAME/smallmind.
std::map<std::string, std::string> CompilerOf(const std::string& binary) {
  const std::string key = "CMAKE_CXX_COMPILER:";
  const fs::path tree = fs::path(binary).parent_path().parent_path().parent_path();
  std::ifstream cache(tree / "CMakeCache.txt");
  for (std::string line; std::getline(cache, line);) {
    if (line.starts_with(key)) return {{"CXX", line.substr(line.find('=') + 1)}};
  }
  return {};
}

}  // namespace

VariantInfo BuildRef(const std::string& ref, const VariantInfo& now, const fs::path& source_dir,
                     const fs::path& build_dir, const std::atomic<bool>* interrupt) {
  const std::string &variant = now.name, &toolchain = now.toolchain;
  const fs::path launcher = build_dir / "bin" / "launcher";
  const ProcessResult parsed = Execute(
      {"git", "-C", source_dir.string(), "rev-parse", "--verify", "--quiet", ref + "^{commit}"},
      launcher);
  const std::string commit = LastLine(parsed.out);
  if (!parsed.Succeeded() || commit.size() < 12) {
    throw BadInput("--against " + ref + ": no such commit in " + source_dir.string());
  }
  const fs::path tree = build_dir / "against" / commit.substr(0, 12);
  if (!fs::exists(tree / "scripts")) {
    fs::create_directories(tree.parent_path());
    Execute({"git", "-C", source_dir.string(), "worktree", "prune"}, launcher);
    const ProcessResult added = Execute({"git", "-C", source_dir.string(), "worktree", "add",
                                         "--detach", "--force", tree.string(), commit},
                                        launcher);
    if (!added.Succeeded()) throw BadInput("--against " + ref + ": " + LastLine(added.err_tail));
  }
  if (!fs::exists(tree / "scripts" / "build")) {
    throw BadInput("--against " + ref + ": that commit has no scripts/build");
  }
  // Fetched sources (Highway) are the same for both: they are pinned.
  if (const fs::path fetched = source_dir / "third_party";
      fs::exists(fetched) && !fs::exists(tree / "third_party")) {
    fs::create_directory_symlink(fs::canonical(fetched), tree / "third_party");
  }
  std::fprintf(stderr, "building %s of %s (%s)\n", variant.c_str(), ref.c_str(),
               commit.substr(0, 12).c_str());
  const ProcessResult built = Execute(
      {(tree / "scripts" / "build").string(), "--variants", variant, "--toolchain", toolchain},
      launcher, interrupt, CompilerOf(now.binary));
  if (interrupt != nullptr && interrupt->load()) {
    throw HarnessError(kExitInterrupted, "interrupted while building " + ref);
  }
  if (!built.Succeeded()) {
    throw BadInput("--against " + ref + ": it does not build: " + LastLine(built.err_tail));
  }
  const Manifest manifest = ReadManifest(tree / (toolchain == "clang" ? "build-clang" : "build"));
  const auto row = std::ranges::find_if(manifest.variants,
                                        [&](const VariantInfo& v) { return v.name == variant; });
  if (row == manifest.variants.end() || row->status != "built") {
    throw BadInput("--against " + ref + ": " + variant + " was not built there");
  }
  // A change of compiler is not what a gate looks for.
  if (!now.compiler.empty() && !row->compiler.empty() && row->compiler != now.compiler) {
    throw BadInput("--against " + ref + ": built by " + row->compiler + ", this tree by " +
                   now.compiler + "; remove " + tree.string());
  }
  VariantInfo other = *row;
  other.name = variant + "@" + ref;
  other.title = variant + " of " + commit.substr(0, 12);
  other.git = commit.substr(0, 12);
  other.dirty = false;
  return other;
}

}  // namespace smallmind::harness
