// The exporters behind export.h, one function a format.
#pragma once

#include <string>
#include <vector>

#include "harness/export.h"

namespace smallmind::harness {

std::vector<ExportFile> ExportGoogleBenchmark(const Run& run);
std::vector<ExportFile> ExportGithubActionBenchmark(const Run& run, const Analysis& analysis);
std::vector<ExportFile> ExportBencher(const Analysis& analysis);
std::vector<ExportFile> ExportLlamaBench(const Run& run);
std::vector<ExportFile> ExportCsv(const Run& run);
std::vector<ExportFile> ExportMarkdown(const Run& run, const Analysis& analysis);

// Letters, digits, '.', '-' and '_' stay; the rest becomes '-'.
std::string SafeFileName(const std::string& name);

}  // namespace smallmind::harness
