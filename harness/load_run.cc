// Tested by reading records with missing, unknown and torn parts (record_test.cc).
#include "harness/load_run.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/error.h"
#include "harness/json_number.h"

namespace smallmind::harness {

std::vector<Sample> ParseSamples(const std::string& text, const std::string& path) {
  std::vector<Sample> samples;
  int line_number = 0;
  for (size_t begin = 0; begin < text.size();) {
    ++line_number;
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // torn: its writer died before the newline
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.empty()) continue;
    try {
      const Json json = Json::parse(line);
      if (const int schema = Field(json, "schema", 0); schema > kSchemaVersion) {
        throw BadInput("schema " + std::to_string(schema) + ", this harness reads " +
                       std::to_string(kSchemaVersion));
      }
      samples.push_back(json.get<Sample>());
    } catch (const std::exception& error) {
      throw BadInput(path + ":" + std::to_string(line_number) + ": " + error.what());
    }
  }
  return samples;
}

std::vector<Sample> LoadSamples(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw BadInput(path + ": cannot be read");
  std::stringstream buffer;
  buffer << file.rdbuf();
  return ParseSamples(buffer.str(), path);
}

Run LoadRun(const std::string& directory) {
  const auto path = std::filesystem::path(directory) / "run.json";
  std::ifstream file(path);
  if (!file) throw BadInput(path.string() + ": cannot be read; is this a run directory?");
  Run run;
  try {
    const Json json = Json::parse(file);
    if (const int schema = Field(json, "schema", 0); schema > kSchemaVersion) {
      throw BadInput("schema " + std::to_string(schema) + ", this harness reads " +
                     std::to_string(kSchemaVersion));
    }
    run.info = json.get<RunInfo>();
  } catch (const std::exception& error) {
    throw BadInput(path.string() + ": " + error.what());
  }
  const auto samples = std::filesystem::path(directory) / "samples.jsonl";
  if (std::filesystem::exists(samples)) {
    run.samples = LoadSamples(samples.string());
  } else if (run.info.samples > 0) {  // as none they would empty the report and run.json's analysis
    const std::string packed = samples.string() + ".gz";
    throw BadInput(samples.string() + ": missing; " +
                   (std::filesystem::exists(packed)
                        ? "first: gunzip -k " + packed
                        : "run.json counts " + std::to_string(run.info.samples) + " samples"));
  }
  return run;
}

}  // namespace smallmind::harness
