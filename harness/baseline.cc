#include "harness/baseline.h"

#include <algorithm>
#include <cctype>

#include "harness/error.h"
#include "harness/load_run.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

fs::path Folder(const fs::path& results_dir, const std::string& name) {
  CheckBaselineName(name);
  return results_dir / "baselines" / name;
}

}  // namespace

void CheckBaselineName(const std::string& name) {
  const bool good =
      !name.empty() && name[0] != '.' && std::ranges::all_of(name, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
      });
  if (!good)
    throw RunError("a baseline's name has letters, digits, '.', '-' and '_', not: " + name);
}

void SaveBaseline(const fs::path& results_dir, const std::string& name,
                  const fs::path& run_directory) {
  // Whole beside the old one, then in its place: who is interrupted keeps a baseline that fits.
  const fs::path place = Folder(results_dir, name);
  const fs::path folder = place.string() + ".new", old = place.string() + ".old";
  try {
    fs::remove_all(folder);
    fs::create_directories(folder);
    for (const char* file : {"run.json", "samples.jsonl"}) {
      fs::copy_file(run_directory / file, folder / file);
    }
    for (const VariantInfo& variant : LoadRun(folder.string()).info.variants) {
      const bool of_the_build = variant.name.find('@') == std::string::npos;
      if (variant.binary.empty() || variant.status != "built" || !of_the_build) continue;
      fs::create_directories(folder / "bin");
      fs::copy_file(variant.binary, folder / "bin" / variant.name);
    }
    fs::remove_all(old);
    if (fs::exists(place)) fs::rename(place, old);
    fs::rename(folder, place);
    fs::remove_all(old);
  } catch (const fs::filesystem_error& error) {
    throw RunError(std::string("--save-baseline: ") + error.what());
  }
}

fs::path BaselineBinary(const fs::path& results_dir, const std::string& name,
                        const std::string& variant) {
  const fs::path binary = Folder(results_dir, name) / "bin" / variant;
  return fs::exists(binary) ? binary : fs::path();
}

bool HasBaseline(const fs::path& results_dir, const std::string& name) {
  return fs::exists(Folder(results_dir, name) / "run.json");
}

Run LoadBaseline(const fs::path& results_dir, const std::string& name) {
  const fs::path folder = Folder(results_dir, name);
  if (!HasBaseline(results_dir, name)) {
    std::string known;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(results_dir / "baselines", error)) {
      known += (known.empty() ? "" : ", ") + entry.path().filename().string();
    }
    throw BadInput("no baseline \"" + name + "\"; saved: " + (known.empty() ? "none" : known) +
                   " (harness --save-baseline NAME makes one)");
  }
  return LoadRun(folder.string());
}

}  // namespace smallmind::harness
