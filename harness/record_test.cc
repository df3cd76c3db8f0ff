#include "harness/record.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "harness/error.h"
#include "harness/load_run.h"
#include "harness/metrics.h"
#include "harness/testing/paths.h"

namespace smallmind::harness {
namespace {

Sample FilledSample() {
  Sample sample;
  sample.id = 17;
  sample.round = 3;
  sample.position = 2;
  sample.attempt = 1;
  sample.warmup = true;
  sample.variant = "o2";
  sample.model = "smollm2-135m-q8_0";
  sample.workload = "p128-n32-t4";
  sample.layout = 2;
  sample.status = SampleStatus::kTimeout;
  sample.reason = "no end after 10 s";
  sample.contaminated = true;
  sample.contamination = {"steal 3.1 %"};
  sample.start_unix = 1.5e9;
  sample.wall_ns = 123456789012;
  sample.env_bytes = 77;
  sample.target = "AVX2";
  sample.metrics = {{"decode_tps", 101.25}};
  sample.phases = {{"ready_ms", 3.5}};
  sample.reps = {Rep{1, 128, 3, 5, 6, 7, {3, 3}}};
  sample.hashes = {{"token", "0123456789abcdef"}};
  sample.kernels = {{"matmul", {4, 99}}};
  sample.faults = {{"major", 1}};
  sample.switches = {{"involuntary", 9}};
  sample.system = {{"steal_pct", 3.1}};
  sample.counters = {{"page_faults", 12}};
  return sample;
}

TEST(Record, SampleRoundTrips) {
  const Json json = FilledSample();
  EXPECT_EQ(json["schema"], kSchemaVersion);
  EXPECT_EQ(json["status"], "timeout");
  const Json again = json.get<Sample>();
  EXPECT_EQ(json, again);
  const Json empty = Sample{};
  for (const auto& [key, value] : json.items()) {
    if (key == "schema") continue;
    EXPECT_NE(empty[key], value) << key << " is not filled by this test";
  }
}

TEST(Record, RunRoundTrips) {
  RunInfo run;
  run.id = "r1";
  run.status = RunStatus::kInterrupted;
  run.variants.push_back({});
  run.variants[0].name = "o2";
  run.variants[0].kind = VariantKind::kPeer;
  run.variants[0].size.sections[".text"] = 5;
  run.models.push_back({});
  run.workloads.push_back({"p1-n2-t3", 1, 2, 3, 4});
  run.ceilings.push_back({"read_gbps", 4, 30.5, 1});
  run.instructions.push_back({"o2", "tiny", "AVX2", 1.5e6, 1.6e7, {{"p8-n2", 63810176}}, "why"});
  run.environment.caches["L1d"] = "32 KiB x 4";
  run.plan.seed = "18446744073709551615";
  run.analysis["x"] = 1;
  const Json json = run;
  const Json again = json.get<RunInfo>();
  EXPECT_EQ(json, again);
}

TEST(Record, UnknownFieldsAreIgnoredAndMissingOnesKeepDefaults) {
  const auto sample = Json::parse(R"({"variant":"o2","later":{"x":1}})").get<Sample>();
  EXPECT_EQ(sample.variant, "o2");
  EXPECT_EQ(sample.status, SampleStatus::kOk);
}

TEST(Record, TornLastLineIsIgnoredAndOtherBadLinesAreNot) {
  const auto path = TestTempDir() / "torn.jsonl";
  const std::string line = Json(FilledSample()).dump() + "\n";
  std::ofstream(path) << line << line << line.substr(0, 40);
  EXPECT_EQ(LoadSamples(path.string()).size(), 2u);
  std::ofstream(path) << line << line.substr(0, 40) << "\n" << line;
  EXPECT_THROW(LoadSamples(path.string()), BadInput);
  std::ofstream(path) << "{\"schema\":99}\n";
  EXPECT_THROW(LoadSamples(path.string()), BadInput);
}

TEST(Record, ARunWithoutItsSamplesIsRefused) {
  const auto folder = TestTempDir() / "packed";
  std::filesystem::create_directories(folder);
  RunInfo run;
  std::ofstream(folder / "run.json") << Json(run);
  EXPECT_TRUE(LoadRun(folder.string()).samples.empty());  // begun, nothing measured yet
  run.samples = 3;
  std::ofstream(folder / "run.json") << Json(run);
  const auto error = [&]() -> std::string {
    try {
      LoadRun(folder.string());
    } catch (const BadInput& bad) {
      return bad.what();
    }
    return "no error";
  };
  EXPECT_NE(error().find("samples.jsonl: missing; run.json counts 3 samples"), std::string::npos)
      << error();
  std::ofstream(folder / "samples.jsonl.gz") << "packed";
  EXPECT_NE(error().find("gunzip -k " + (folder / "samples.jsonl.gz").string()), std::string::npos)
      << error();
}

TEST(Metrics, NamesAreUniqueAndDefinitionsAreSentences) {
  for (const MetricDef& metric : AllMetrics()) {
    EXPECT_EQ(FindMetric(metric.name), &metric);
    EXPECT_EQ(metric.definition.back(), '.') << metric.name;
  }
  EXPECT_EQ(FindMetric("nosuch"), nullptr);
}

}  // namespace
}  // namespace smallmind::harness
