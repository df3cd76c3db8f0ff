// Each format parsed back and held against what its consumer requires, by its own tool where there
// is one.
#include "harness/export.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/error.h"
#include "harness/testing/paths.h"
#include "harness/testing/synthetic_run.h"

namespace smallmind::harness {
namespace {

struct Exported {
  harness::Run run;
  Analysis analysis;

  Exported() {
    SyntheticPlan plan;
    plan.variants = FactorialVariants();
    plan.variants[1].name = "a/b, \"c\"";
    run = MakeSyntheticRun(plan);
    run.samples[0].status = SampleStatus::kCrashed;
    run.samples[0].reason = "signal 11,\n\"SIGSEGV\"";
    run.samples[0].metrics.clear();
    analysis = Analyze(run.info, run.samples);
  }
  std::vector<ExportFile> To(const std::string& format) const {
    return Export(format, run, analysis);
  }
};

TEST(Export, GoogleBenchmark) {
  const Exported e;
  const auto files = e.To("google-benchmark");
  ASSERT_EQ(files.size(), 9u);
  EXPECT_EQ(files[1].name, "a-b---c-.json");
  for (const ExportFile& file : files) {
    const Json json = Json::parse(file.text);
    EXPECT_EQ(json.at("context").at("json_schema_version"), 1);
    std::map<std::string, int> repetitions;
    for (const Json& b : json.at("benchmarks")) {
      EXPECT_EQ(b.at("run_type"), "iteration");
      EXPECT_EQ(b.at("time_unit"), "ns");
      EXPECT_GT(b.at("real_time").get<double>(), 0.0);
      EXPECT_GT(b.at("cpu_time").get<double>(), 0.0);
      EXPECT_EQ(b.at("repetition_index"), repetitions[b.at("name")]++);
    }
    EXPECT_EQ(repetitions.size(), 10u);
  }
  const Json first = Json::parse(files[0].text).at("benchmarks").at(0);
  EXPECT_NEAR(first.at("real_time").get<double>() * first.at("items_per_second").get<double>(), 1e9,
              1.0);
}

// Google Benchmark's own compare.py (Debian: libbenchmark-tools, python3-scipy).
TEST(Export, GoogleBenchmarksOwnToolReadsIt) {
  const char* tool = "/usr/share/benchmark/compare.py";
  if (!std::filesystem::exists(tool) ||
      std::system("/usr/bin/python3 -c 'import scipy' 2>/dev/null") != 0) {
    GTEST_SKIP() << "needs libbenchmark-tools";
  }
  const Exported e;
  const auto folder = TestTempDir() / "smallmind-compare";
  const auto paths = WriteExport("google-benchmark", e.run, e.analysis, folder.string());
  const auto answer = folder / "answer.txt";
  const std::string command = "/usr/bin/python3 " + std::string(tool) + " --no-color benchmarks '" +
                              paths[0] + "' '" + paths[4] + "' > '" + answer.string() + "' 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::stringstream text;
  text << std::ifstream(answer).rdbuf();
  EXPECT_NE(text.str().find("decode/smollm2-135m-q8_0/p128-n32-t4_pvalue"), std::string::npos);
  EXPECT_NE(text.str().find("OVERALL_GEOMEAN"), std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST(Export, GithubActionBenchmark) {
  const Exported e;
  const Json list = Json::parse(e.To("github-action-benchmark").at(0).text);
  ASSERT_EQ(list.size(), 9u * 2 * 2);
  for (const Json& row : list) {
    EXPECT_TRUE(row.at("name").is_string());
    EXPECT_EQ(row.at("unit"), "tok/s");
    EXPECT_TRUE(row.at("value").is_number());
    EXPECT_TRUE(row.at("range").is_string());
    EXPECT_TRUE(row.at("extra").is_string());
  }
}

TEST(Export, Bencher) {
  const Exported e;
  const Json root = Json::parse(e.To("bencher").at(0).text);
  EXPECT_EQ(root.size(), 9u * 2);
  for (const auto& [name, measures] : root.items()) {
    for (const auto& [slug, m] : measures.items()) {
      EXPECT_EQ(slug.find('_'), std::string::npos);
      EXPECT_LE(m.at("lower_value").get<double>(), m.at("value").get<double>());
      EXPECT_GE(m.at("upper_value").get<double>(), m.at("value").get<double>());
    }
  }
}

TEST(Export, WhatIsUnboundedHasNoBounds) {
  Exported e;
  std::erase_if(e.run.samples, [](const Sample& s) { return s.round > 0; });
  e.analysis = Analyze(e.run.info, e.run.samples);
  const Json root = Json::parse(e.To("bencher").at(0).text);
  for (const auto& [name, measures] : root.items()) {
    for (const auto& [slug, m] : measures.items()) EXPECT_EQ(m.size(), 1u) << name << " " << slug;
  }
  for (const Json& row : Json::parse(e.To("github-action-benchmark").at(0).text)) {
    EXPECT_FALSE(row.contains("range")) << row.dump();
  }
}

TEST(Export, LlamaBench) {
  const Exported e;
  std::istringstream lines(e.To("llama-bench").at(0).text);
  size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const Json test = Json::parse(line);
    EXPECT_TRUE((test.at("n_prompt") == 0) != (test.at("n_gen") == 0));
    EXPECT_EQ(test.at("samples_ts").size(), test.at("samples_ns").size());
    const double tokens = test.at("n_prompt").get<double>() + test.at("n_gen").get<double>();
    EXPECT_NEAR(test.at("samples_ts")[0].get<double>() * test.at("samples_ns")[0].get<double>(),
                tokens * 1e9, tokens * 1e4);
    EXPECT_GT(test.at("model_size").get<int64_t>(), 0);
    // What compare-llama-bench.py tells builds and settings apart by; it refuses lines without.
    for (const char* key :
         {"build_commit", "test_time",     "avg_ts",     "cpu_info",      "gpu_info",
          "backends",     "n_gpu_layers",  "n_batch",    "n_ubatch",      "model_filename",
          "model_type",   "embeddings",    "cpu_mask",   "cpu_strict",    "poll",
          "n_threads",    "type_k",        "type_v",     "use_mmap",      "no_kv_offload",
          "split_mode",   "main_gpu",      "flash_attn", "tensor_split",  "tensor_buft_overrides",
          "n_depth",      "no_op_offload", "avg_ns",     "model_n_params"}) {
      EXPECT_TRUE(test.contains(key)) << key;
    }
  }
  EXPECT_EQ(count, 9u * 2 * 2);
}

TEST(Export, CsvQuotesAndKeepsFailedSamples) {
  const Exported e;
  const std::string text = e.To("csv").at(0).text;
  EXPECT_NE(text.find("\"signal 11,\n\"\"SIGSEGV\"\"\""), std::string::npos);
  EXPECT_NE(text.find("\"a/b, \"\"c\"\"\""), std::string::npos);
  EXPECT_EQ(text.rfind("id,round,", 0), 0u);
}

TEST(Export, MarkdownHasATableARegime) {
  const Exported e;
  const std::string text = e.To("markdown").at(0).text;
  EXPECT_NE(text.find("## stories15m-q8_0: 128-token prompt"), std::string::npos);
  EXPECT_EQ(text.find("!["), std::string::npos);
}

TEST(Export, UnknownFormatNamesThoseThereAre) {
  const Exported e;
  try {
    e.To("xml");
    FAIL();
  } catch (const RunError& error) {
    EXPECT_NE(std::string(error.what()).find("llama-bench"), std::string::npos);
  }
  EXPECT_THROW(WriteExport("csv", e.run, e.analysis, "/proc/nonexistent"), RunError);
}

}  // namespace
}  // namespace smallmind::harness
