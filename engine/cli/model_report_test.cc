#include "engine/cli/model_report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/base/testing.h"
#include "engine/gguf/raw_gguf.h"

namespace smallmind {
namespace {

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ModelReport, DescribesAModelThatRuns) {
  const GgufFile file = GgufFile::Open(MixtralModel());
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

// Names of a hostile file reach neither the terminal's codes nor a second line, nor fill a screen.
TEST(ModelReport, HostileNamesStayOneShortLine) {
  for (const std::string& hostile : {std::string("\x1b[2Jx"), std::string("a\nb"),
                                     std::string("\xc2\x9b"
                                                 "2J"),
                                     std::string(200, '\x1b'), std::string(1 << 20, 'n')}) {
    const RawGguf raw = RawGguf(3, 1, 2)
                            .Key("general.architecture", GgufType::kString)
                            .String(hostile)
                            .Key("general.name", GgufType::kString)
                            .String(hostile)
                            .Tensor(hostile.substr(0, 60), {4}, 0, 0)
                            .Pad(32)
                            .Zeros(16);
    const ModelReport report = ReportModel(GgufFile::FromBytes(raw.bytes(), "memory"));
    EXPECT_TRUE(Contains(report.problem, "is not supported")) << report.problem.substr(0, 500);
    for (const char c : report.problem) EXPECT_TRUE(c >= 0x20 || c < 0) << int{c};
    EXPECT_LT(report.problem.size(), 1200u);
    EXPECT_FALSE(Contains(report.problem + report.text, "\x1b"));
    EXPECT_FALSE(Contains(report.problem + report.text, "\xc2\x9b"));
    EXPECT_TRUE(Contains(report.text, "\nweights ")) << "every line ends: " << report.text;
    EXPECT_LT(report.text.size(), 4000u);
  }
}

TEST(ModelReport, JsonHasMetadataByItsType) {
  const std::string text = std::string(59, 'x') + "é😀 and on, past what people are shown";
  RawGguf raw(3, 0, 9);
  raw.Key("general.architecture", GgufType::kString).String("llama");
  raw.Key("text", GgufType::kString).String(text);
  raw.Key("broken", GgufType::kString).String("a\xc3");
  raw.Key("count", GgufType::kU64).U64(1ull << 63);
  raw.Key("eps", GgufType::kF32).F32(1e-5f);
  raw.Key("nan", GgufType::kF32).F32(NAN);
  raw.Key("flag", GgufType::kBool).U8(1);
  raw.ArrayKey("short", GgufType::kString, 2).String("a\"b").String("");
  raw.ArrayKey("long", GgufType::kU32, 65);
  for (uint32_t i = 0; i < 65; ++i) raw.U32(i * i);
  const auto json =
      nlohmann::json::parse(ReportModel(GgufFile::FromBytes(raw.bytes(), "memory")).json);
  const auto& metadata = json.at("metadata");
  EXPECT_EQ(metadata.size(), 9u);
  EXPECT_EQ(metadata.at("general.architecture"), "llama");
  EXPECT_EQ(metadata.at("text"), text);
  EXPECT_EQ(metadata.at("broken"), "a\xef\xbf\xbd");
  EXPECT_EQ(metadata.at("count").get<uint64_t>(), 1ull << 63);
  EXPECT_EQ(metadata.at("eps").get<float>(), 1e-5f);
  EXPECT_TRUE(metadata.at("nan").is_null());
  EXPECT_EQ(metadata.at("flag"), true);
  EXPECT_EQ(metadata.at("short"), (nlohmann::json{"a\"b", ""}));
  EXPECT_EQ(
      metadata.at("long"),
      (nlohmann::json{{"type", "u32"}, {"count", 65}, {"first", nlohmann::json{0, 1, 4, 9}}}));
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
