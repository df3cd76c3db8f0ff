#include "harness/report.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "harness/load_run.h"
#include "harness/report/text.h"
#include "harness/testing/paths.h"
#include "harness/testing/synthetic_run.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

SyntheticPlan FactorialPlan() {
  SyntheticPlan plan;
  plan.variants = FactorialVariants();
  return plan;
}

TEST(Text, FiguresKeepThreeDigits) {
  EXPECT_EQ(Figure(0.0421), "0.0421");
  EXPECT_EQ(Figure(0.42), "0.42");
  EXPECT_EQ(Figure(4.014), "4.01");
  EXPECT_EQ(Figure(42.31), "42.3");
  EXPECT_EQ(Figure(170.12), "170.1");
  EXPECT_EQ(Figure(1204.4), "1204");
  EXPECT_EQ(Figure(std::nan("")), "-");
}

TEST(Text, WidthsOfUnicode) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("1.25× [1.2–1.3] ▲"), 17u);
  EXPECT_EQ(DisplayWidth("模型"), 4u);
  EXPECT_EQ(DisplayWidth("e\xcc\x81"), 1u);
  EXPECT_EQ(DisplayWidth("\xff\xfe"), 2u);
  EXPECT_EQ(Truncate("native-lto-pgo", 8), "native-…");
  EXPECT_EQ(PadLeft("×", 3), "  ×");
  EXPECT_EQ(PadRight("模型模型", 5), "模型…");
}

TEST(Terminal, FitsAndAligns) {
  SyntheticPlan plan = FactorialPlan();
  plan.variants[3].name = "a-variant-with-quite-a-long-name-模型";
  const auto run = MakeSyntheticRun(plan);
  const Analysis a = Analyze(run.info, run.samples);
  for (size_t width : {60u, 80u, 100u, 120u, 160u}) {
    const std::string text = RenderTerminal(run.info, a, {width, false});
    size_t rule = 0;
    for (const std::string& line : Lines(text)) {
      EXPECT_LE(DisplayWidth(line), width) << line;
      if (line.rfind("─", 0) == 0) rule = DisplayWidth(line);
    }
    EXPECT_GT(rule, 40u);
  }
  const std::string wide = RenderTerminal(run.info, a, {160, false});
  EXPECT_NE(wide.find("startup"), std::string::npos);
  EXPECT_NE(wide.find("▲"), std::string::npos);
}

TEST(Terminal, FlagsWhatComputesSomethingElse) {
  SyntheticPlan plan = FactorialPlan();
  plan.variants[2].token_hash = "ffffffffffffffff";
  const auto run = MakeSyntheticRun(plan);
  const std::string text = RenderTerminal(run.info, Analyze(run.info, run.samples));
  EXPECT_NE(text.find("lto !"), std::string::npos);
  EXPECT_NE(text.find("not ranked"), std::string::npos);
}

TEST(Markdown, TablesHaveTheSameColumnsInEveryLine) {
  const auto run = MakeSyntheticRun(FactorialPlan());
  const std::string text = RenderMarkdown(BuildReport(run.info, Analyze(run.info, run.samples)));
  long columns = -1;
  for (const std::string& line : Lines(text)) {
    if (!line.starts_with('|')) {
      columns = -1;
      continue;
    }
    long bars = 0;
    for (size_t i = 0; i < line.size(); ++i)
      bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
    if (columns >= 0) {
      EXPECT_EQ(bars, columns) << line;
    }
    columns = bars;
  }
  for (const char* needed :
       {"NativeAOT + PGO", "said 1.1-1.3x", "refuted", "Hodges-Lehmann", "Synthetic CPU"}) {
    EXPECT_NE(text.find(needed), std::string::npos) << needed;
  }
}

TEST(Html, EscapesEverythingAndFetchesNothing) {
  SyntheticPlan plan = FactorialPlan();
  plan.variants[1].name = "<script>alert(1)</script>";
  plan.models = {"a\"b&c"};
  const auto run = MakeSyntheticRun(plan);
  const std::string page =
      RenderHtml(BuildReport(run.info, Analyze(run.info, run.samples)),
                 {{"throughput", "<?xml?><svg><g id=\"a\"/><use href=\"#a\"/></svg>"}});
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert"), std::string::npos);
  EXPECT_NE(page.find("a&quot;b&amp;c"), std::string::npos);
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos);
  EXPECT_EQ(page.find("src="), std::string::npos);
  EXPECT_NE(page.find("id=\"throughput-a\""), std::string::npos);
  EXPECT_NE(page.find("href=\"#throughput-a\""), std::string::npos);
  EXPECT_NE(page.find("samples "), std::string::npos);            // numbers are traceable
  EXPECT_NE(page.find("<details><summary>"), std::string::npos);  // evidence is folded
}

TEST(Html, FiguresFollowTheReadersSettingAndScreen) {
  const std::string svg =
      "<?xml version=\"1.0\"?><svg><path style=\"fill: #ffffff; stroke: #0072b2\"/></svg>";
  Document document;
  document.sections = {{"s", "Section", {DocFigure{"size", "Size"}, DocFigure{"rss", "RSS"}}, ""}};
  const std::string page =
      RenderHtml(document, {{"size", svg}, {"size.phone", svg}, {"rss", svg}, {"other", svg}});
  EXPECT_EQ(page.find("fill: #ffffff"), std::string::npos);
  EXPECT_NE(page.find("stroke: var(--c0072b2)"), std::string::npos);
  EXPECT_NE(page.find("--c0072b2:#0072b2"), std::string::npos);
  EXPECT_NE(page.find("<figure class=\"both\""), std::string::npos);
  size_t count = 0;
  for (size_t at = 0; (at = page.find("<svg", at)) != std::string::npos; ++at) ++count;
  EXPECT_EQ(count, 3u);
}

TEST(Report, ClaimsHaveARowEachAndAColumnPairAModel) {
  const auto run = MakeSyntheticRun(FactorialPlan());
  const Analysis a = Analyze(run.info, run.samples);
  const std::string text = RenderMarkdown(BuildReport(run.info, a));
  size_t rows = 0;
  for (const std::string& line : Lines(text)) {
    if (line.rfind("| time to first token 2-5x faster", 0) == 0) ++rows;
  }
  EXPECT_EQ(rows, 2u);  // against tier0 and against o2
  EXPECT_NE(text.find("agree bit for bit"), std::string::npos);
}

TEST(Report, TwoWorkloadsOfAModelAreNamedApart) {
  auto run = MakeSyntheticRun(FactorialPlan());
  run.info.workloads.push_back({"p16-n32-t4", 16, 32, 4, 3});
  const std::vector<Sample> first = run.samples;
  for (Sample s : first) {
    s.id += static_cast<int64_t>(first.size());
    s.workload = "p16-n32-t4";
    run.samples.push_back(std::move(s));
  }
  const Analysis a = Analyze(run.info, run.samples);
  std::set<std::string> captions, navigation;
  size_t tables = 0;
  for (const DocSection& section : BuildReport(run.info, a).sections) {
    if (section.id.starts_with("results-")) navigation.insert(section.short_title);
    for (const DocBlock& block : section.blocks) {
      if (block.kind != DocBlock::Kind::kTable) continue;
      if (section.id == "guide") {
        captions.insert(block.table.caption);
        ++tables;
      }
      if (section.id != "claims" && section.id != "factorial") continue;
      std::set<std::string> headings;
      size_t columns = 0;
      for (const DocColumn& column : block.table.columns) {
        if (column.title == "verdict") continue;
        headings.insert(column.title);
        ++columns;
      }
      EXPECT_EQ(headings.size(), columns) << section.id;
    }
  }
  EXPECT_EQ(tables, 4u);
  EXPECT_EQ(captions.size(), 4u);
  EXPECT_EQ(navigation.size(), 4u);
}

TEST(Report, TheSummarySaysWhatLimitsASpeed) {
  auto run = MakeSyntheticRun(FactorialPlan());
  run.info.ceilings = {{"read_gbps", 4, 26.0, -1}, {"int8_gops", 4, 5000.0, -1}};
  const std::string text = RenderMarkdown(BuildReport(run.info, Analyze(run.info, run.samples)));
  bool found = false;
  for (const std::string& line : Lines(text)) {
    if (line.rfind("- smollm2-135m-q8_0, prefill: ", 0) != 0) continue;
    found = true;
    EXPECT_NE(line.find(" undecided). Prefill of smollm2-135m-q8_0 by "), std::string::npos)
        << line;
    EXPECT_NE(line.find("faster code can help"), std::string::npos) << line;
  }
  EXPECT_TRUE(found);
}

// The part of the Markdown from that heading to the next.
std::string SectionOf(const std::string& text, const std::string& heading) {
  const size_t begin = text.find("\n## " + heading);
  return begin == std::string::npos ? ""
                                    : text.substr(begin, text.find("\n## ", begin + 1) - begin);
}

TEST(Report, WhoIsAheadIsToldApartFromTheOthersOrNot) {
  SyntheticPlan plan = FactorialPlan();
  for (size_t i : {0u, 1u, 2u, 3u}) plan.variants[i].speed = 1.0;
  for (size_t i : {4u, 5u, 6u}) plan.variants[i].speed = 1.25;
  plan.variants[7].speed = 1.5;
  plan.variants[7].token_hash = "ffffffffffffffff";  // production, which is not ranked
  const auto run = MakeSyntheticRun(plan);
  const Analysis a = Analyze(run.info, run.samples);
  ASSERT_EQ(a.leaders.size(), 4u);
  for (const Leader& l : a.leaders) {
    std::set<std::string> front(l.beside.begin(), l.beside.end());
    front.insert(l.variant);
    EXPECT_EQ(front, (std::set<std::string>{"native", "native-pgo", "native-lto"}));
  }
  const std::string text = SectionOf(RenderMarkdown(BuildReport(run.info, a)), "What came out");
  EXPECT_NE(text.find("` is ahead of `o2` by most, 1.2"), std::string::npos) << text;
  EXPECT_NE(text.find("; this run cannot tell it from `native"), std::string::npos) << text;
  EXPECT_EQ(text.find("fastest"), std::string::npos) << text;
}

TEST(Report, GainsCarryTheirMarksAndFlaggedRowsNone) {
  SyntheticPlan plan = FactorialPlan();
  plan.variants[2].token_hash = "ffffffffffffffff";  // lto
  plan.variants[2].slow_matmul = 3.0;
  plan.variants[1].speed = 1.0;  // pgo, which grew
  plan.variants[2].stripped_bytes = 2'500'000;
  const auto run = MakeSyntheticRun(plan);
  const std::string text = RenderMarkdown(BuildReport(run.info, Analyze(run.info, run.samples)));
  const std::string why = SectionOf(text, "Why: kernels"), sizes = SectionOf(text, "Size: what");
  EXPECT_EQ(why.find("- lto loses"), std::string::npos) << why;
  EXPECT_NE(why.find("- tier0 loses"), std::string::npos) << why;
  EXPECT_NE(why.find("lto (flagged)"), std::string::npos);
  size_t pgo = 0, lto = 0;
  for (const std::string& line : Lines(sizes)) {
    const bool open = line.ends_with("] ? |") || line.ends_with("] = |");
    if (line.rfind("| pgo ", 0) == 0 && line.find(" % [") != std::string::npos) pgo += open;
    if (line.rfind("| **lto (flagged)**", 0) != 0) continue;
    const size_t first = line.find("**not ranked**");
    lto +=
        first != std::string::npos && line.find("**not ranked**", first + 1) != std::string::npos;
  }
  EXPECT_EQ(pgo, 1u) << sizes;
  EXPECT_EQ(lto, 1u) << sizes;
}

TEST(Report, EffectsOfFlagsAreToldWithoutColour) {
  SyntheticPlan plan;
  plan.variants = FactorialVariants(1.25, 0.9, 1.0);
  const auto run = MakeSyntheticRun(plan);
  const std::string text = SectionOf(
      RenderMarkdown(BuildReport(run.info, Analyze(run.info, run.samples))), "What each flag does");
  size_t seen = 0;
  for (const std::string& line : Lines(text)) {
    if (line.rfind("| native  ", 0) == 0) seen += line.find("] ▲**") != std::string::npos;
    if (line.rfind("| LTO  ", 0) == 0) seen += line.find("] ▼") != std::string::npos;
    if (line.rfind("| PGO  ", 0) == 0) seen += line.find("] =") != std::string::npos;
  }
  EXPECT_EQ(seen, 3u) << text;
}

TEST(Report, TheMachineHasItsCeilings) {
  auto run = MakeSyntheticRun(FactorialPlan());
  run.info.ceilings.clear();
  for (int round : {0, 9, 20}) run.info.ceilings.push_back({"read_gbps", 4, 30.0 + round, round});
  const std::string text = RenderMarkdown(BuildReport(run.info, Analyze(run.info, run.samples)));
  EXPECT_NE(text.find("ceiling read_gbps, 4 threads, median | 39"), std::string::npos);
}

TEST(Text, NegativeIntervalsReadWell) {
  EXPECT_EQ(IntervalText(-4.02, -1.43), "[-4.02 to -1.43]");
  EXPECT_EQ(IntervalText(1.2, 1.4), "[1.20–1.40]");
}

TEST(Report, WritesFilesAndKeepsTheRecord) {
  fs::path folder = TestTempDir() / "smallmind-report";
  fs::remove_all(folder);
  auto run = MakeSyntheticRun(FactorialPlan());
  run.info.selftest = Json::parse(
      R"({"metric":"decode_tps","real_rounds":44,"curve":[{"rounds":10,"false_positive_rate":0.04,
          "power":[{"slowdown_pct":5,"power":0.97}]}]})");
  WriteSyntheticRun(run, folder / "run");
  // A later selftest of the machine is none of this record's.
  fs::create_directories(folder / "selftest");
  std::ofstream(folder / "selftest" / ".json")
      << R"({"metric":"decode_tps","real_rounds":44,"curve":[{"rounds":10,"false_positive_rate":0.04,
             "power":[{"slowdown_pct":5,"power":0.11}]}]})";
  folder /= "run";
  const Analysis a = WriteReport(folder.string() + "/");
  std::stringstream page;
  page << std::ifstream(folder / "report.md").rdbuf();
  EXPECT_NE(page.str().find("power at 5.00 %"), std::string::npos);
  EXPECT_NE(page.str().find("97.0 %"), std::string::npos);
  EXPECT_EQ(a.variants.size(), 9u);
  for (const char* name : {"run.json", "report.md", "report.html", "samples.jsonl"}) {
    EXPECT_GT(fs::file_size(folder / name), 1000u) << name;
  }
  const auto again = LoadRun(folder.string());
  EXPECT_EQ(again.info.variants.size(), run.info.variants.size());
  EXPECT_EQ(again.info.analysis.at("claims").size(), a.claims.size());
  EXPECT_EQ(again.samples.size(), run.samples.size());
  fs::remove_all(folder.parent_path());
}

TEST(SideBySide, FindsTheVariantThatChanged) {
  SyntheticPlan plan = FactorialPlan();
  const auto first = MakeSyntheticRun(plan);
  plan.seed = 2;
  plan.variants[1].speed *= 0.85;
  for (Planted& v : plan.variants) v.startup_ms *= 2.0;  // another machine
  const auto second = MakeSyntheticRun(plan);
  const std::string text =
      RenderMarkdown(BuildComparison(first.info, Analyze(first.info, first.samples), second.info,
                                     Analyze(second.info, second.samples)));
  size_t marked = 0;
  for (const std::string& line : Lines(text)) {
    if (line.rfind("| pgo ", 0) != 0 || line.find("0.85 [") == std::string::npos) continue;
    ++marked;
    EXPECT_NE(line.find("] ▼ |"), std::string::npos) << line;
  }
  EXPECT_EQ(marked, 2u);
  EXPECT_NE(text.find("interval, unadjusted"), std::string::npos);
  auto other = second;
  for (Sample& s : other.samples) s.model = "another";
  const std::string nothing =
      RenderMarkdown(BuildComparison(first.info, Analyze(first.info, first.samples), other.info,
                                     Analyze(other.info, other.samples)));
  EXPECT_NE(nothing.find("nothing to compare"), std::string::npos);
}

}  // namespace
}  // namespace smallmind::harness
