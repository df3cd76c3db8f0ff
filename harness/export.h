// A run in the formats that other tools already read.
//
//   google-benchmark         one JSON file a variant, for Google Benchmark's compare.py
//   github-action-benchmark  customBiggerIsBetter: tokens/s
//   bencher                  Bencher Metric Format
//   llama-bench              JSON lines with llama-bench's field names
//   csv                      one line a sample, one column a metric
//   markdown                 the comparison tables
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/analysis.h"
#include "harness/load_run.h"

namespace smallmind::harness {

struct ExportFile {
  std::string name;  // a file name without a folder
  std::string text;
};

std::span<const std::string_view> ExportFormats();

// RunError naming the formats there are, where `format` is none of them.
std::vector<ExportFile> Export(const std::string& format, const Run& run, const Analysis& analysis);

// Writes the files into `directory` (created); returns their paths. RunError where that fails.
std::vector<std::string> WriteExport(const std::string& format, const Run& run,
                                     const Analysis& analysis, const std::string& directory);

}  // namespace smallmind::harness
