// `harness export RUN --format F`: a recorded run in another tool's format.
#include "harness/export.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "harness/commands/command.h"
#include "harness/error.h"
#include "harness/load_run.h"

namespace smallmind::harness {
namespace {

struct ExportOptions {
  std::string run, format, output;
};

int ExportRun(const ExportOptions& options) {
  const Run run = LoadRun(options.run);
  const Analysis analysis = Analyze(run.info, run.samples);
  if (options.output == "-") {
    for (const ExportFile& file : Export(options.format, run, analysis)) {
      std::fputs(file.text.c_str(), stdout);
    }
    return kExitOk;
  }
  const std::string folder =
      options.output.empty()
          ? (std::filesystem::path(options.run) / "export" / options.format).string()
          : options.output;
  for (const std::string& path : WriteExport(options.format, run, analysis, folder)) {
    std::printf("%s\n", path.c_str());
  }
  return kExitOk;
}

}  // namespace

void AddExport(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<ExportOptions>();
  std::string known;
  for (std::string_view format : ExportFormats()) {
    known += (known.empty() ? "" : ", ") + std::string(format);
  }
  CLI::App* command = app.add_subcommand("export", "a recorded run in another tool's format");
  command->add_option("run", options->run, "run directory")->required();
  command->add_option("-f,--format", options->format, known)->required();
  command->add_option("-o,--output", options->output,
                      "folder (RUN/export/FORMAT), or - for stdout");
  command->callback([options, &line] { line.action = [options] { return ExportRun(*options); }; });
}

}  // namespace smallmind::harness
