// `harness list`: variants, why some are missing, models, runs.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "harness/commands/command.h"
#include "harness/manifest.h"
#include "harness/run_session.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

void ListVariants(const Manifest& manifest) {
  std::printf("variants (%s, %s):\n", manifest.toolchain.c_str(), manifest.compiler.c_str());
  for (const VariantInfo& variant : manifest.variants) {
    std::printf("  %-18s %-10s %s\n", variant.name.c_str(), variant.group.c_str(),
                variant.status == "built" ? variant.title.c_str()
                                          : (variant.status + ": " + variant.reason).c_str());
  }
}

void ListFiles(const char* title, const fs::path& folder, const std::string& marker) {
  std::printf("%s (%s):\n", title, folder.c_str());
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const bool shown =
        marker.empty() ? entry.path().extension() == ".gguf" : fs::exists(entry.path() / marker);
    if (shown) names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) std::printf("  %s\n", name.c_str());
  if (names.empty()) std::printf("  none yet\n");
}

}  // namespace

void AddList(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* list = app.add_subcommand("list", "variants, models and runs");
  list->add_option("--build-dir", options->build_dir, "build tree (that of this program)");
  list->add_option("--results-dir", options->results_dir, "where runs are kept (results/)");
  list->callback([options, &line] {
    line.action = [options] {
      ListVariants(ReadManifest(BuildDirOf(*options)));
      ListFiles("models", BuildDirOf(*options) / "models", "");
      ListFiles("runs", ResultsDirOf(*options), "run.json");
      return 0;
    };
  });
}

}  // namespace smallmind::harness
