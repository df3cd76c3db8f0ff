#include "harness/export.h"

#include <cctype>
#include <filesystem>
#include <fstream>

#include "harness/error.h"
#include "harness/export/formats.h"

namespace smallmind::harness {
namespace {

constexpr std::string_view kFormats[] = {
    "google-benchmark", "github-action-benchmark", "bencher", "llama-bench", "csv", "markdown"};

}  // namespace

std::span<const std::string_view> ExportFormats() { return kFormats; }

std::string SafeFileName(const std::string& name) {
  std::string safe = name.empty() ? "unnamed" : name;
  for (char& c : safe) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-' && c != '_')
      c = '-';
  }
  if (safe.front() == '.') safe.front() = '-';
  return safe;
}

std::vector<ExportFile> Export(const std::string& format, const Run& run,
                               const Analysis& analysis) {
  if (format == "google-benchmark") return ExportGoogleBenchmark(run);
  if (format == "github-action-benchmark") return ExportGithubActionBenchmark(run, analysis);
  if (format == "bencher") return ExportBencher(analysis);
  if (format == "llama-bench") return ExportLlamaBench(run);
  if (format == "csv") return ExportCsv(run);
  if (format == "markdown") return ExportMarkdown(run, analysis);
  std::string known;
  for (std::string_view f : kFormats) known += (known.empty() ? "" : ", ") + std::string(f);
  throw RunError("no export format \"" + format + "\"; there are " + known);
}

std::vector<std::string> WriteExport(const std::string& format, const Run& run,
                                     const Analysis& analysis, const std::string& directory) {
  const std::vector<ExportFile> files = Export(format, run, analysis);
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  std::vector<std::string> paths;
  for (const ExportFile& file : files) {
    const std::filesystem::path path = std::filesystem::path(directory) / file.name;
    std::ofstream out(path, std::ios::binary);
    out << file.text;
    out.close();
    if (!out) throw RunError("cannot write " + path.string());
    paths.push_back(path.string());
  }
  return paths;
}

}  // namespace smallmind::harness
