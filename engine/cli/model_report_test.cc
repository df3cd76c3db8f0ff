#include "engine/cli/model_report.h"

#include <gtest/gtest.h>

#include "engine/base/testing.h"
#include "engine/gguf/raw_gguf.h"

namespace smallmind {
namespace {

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ModelReport, DescribesAModelThatRuns) {
  const GgufFile file = GgufFile::Open(TestdataDir() / "arch" / "mixtral.gguf");
  const ModelReport report = ReportModel(file);
  EXPECT_EQ(report.problem, "");
  EXPECT_TRUE(Contains(report.text, "experts")) << report.text;
  EXPECT_TRUE(Contains(report.text, "token_embd.weight")) << report.text;
  EXPECT_TRUE(Contains(report.json, "\"layers\":")) << report.json;
  EXPECT_TRUE(Contains(report.json, "\"general.architecture\":")) << report.json;
}

TEST(ModelReport, DescribesWhatCannotRun) {
  const RawGguf raw = RawGguf(3, 1, 2)
                          .Key("general.architecture", GgufType::kString)
                          .String("mamba")
                          .Key("odd\x1b[2J", GgufType::kU8)
                          .U8(1)
                          .Tensor("t\n", {4}, 0, 0)
                          .Pad(32)
                          .Zeros(16);
  const ModelReport report = ReportModel(GgufFile::FromBytes(raw.bytes(), "memory"));
  EXPECT_TRUE(Contains(report.problem, "mamba")) << report.problem;
  EXPECT_TRUE(Contains(report.text, "'mamba'")) << report.text;
  EXPECT_TRUE(Contains(report.json, "\"problem\":")) << report.json;
  EXPECT_FALSE(Contains(report.text, "\x1b")) << "terminal codes from a file";
}

TEST(ModelReport, DescribesABareVocabulary) {
  const RawGguf raw =
      RawGguf(3, 0, 1).Key("general.architecture", GgufType::kString).String("llama");
  const ModelReport report = ReportModel(GgufFile::FromBytes(raw.bytes(), "memory"));
  EXPECT_TRUE(Contains(report.text, "bare vocabulary")) << report.text;
  EXPECT_EQ(report.problem, "");
}

}  // namespace
}  // namespace smallmind
