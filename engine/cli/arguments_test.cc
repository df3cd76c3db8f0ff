#include "engine/cli/arguments.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"

namespace smallmind {
namespace {

struct Parsed {
  uint64_t count = 3;
  float share = 0.5f;
  std::string kind = "f16";
  std::vector<int32_t> ids;
  std::vector<std::string> stops;
  bool flag = false;
  int code = -1;
};

Parsed Parse(std::vector<const char*> words) {
  Parsed p;
  Program program("test", "");
  Command run = program.Add("run", "runs");
  run.Option("-n,--count", &p.count, "count").Range(1, 10).ShowDefault();
  run.Option("--share", &p.share, "share").RealRange(0, 1);
  run.Option("--kind", &p.kind, "kind").OneOf({"f16", "f32"});
  run.Option("--ids", &p.ids, "ids").Delimiter(',');
  run.Option("--stop", &p.stops, "stop");
  run.Flag("-f,--flag", &p.flag, "flag");
  run.Runs([] { return 7; });
  program.Add("other", "does something else").Runs([] { return 8; });
  words.insert(words.begin(), "test");
  p.code = program.Parse(static_cast<int>(words.size()), words.data())();
  return p;
}

TEST(Arguments, TheGivenSubcommandIsTheOneThatRuns) {
  EXPECT_EQ(Parse({"run"}).code, 7);
  EXPECT_EQ(Parse({"other"}).code, 8);
}

TEST(Arguments, ValuesReachTheirVariablesAndDefaultsStay) {
  const Parsed p = Parse({"run", "-n", "4", "--share", "0.25", "--ids", "5,6,7", "-f"});
  EXPECT_EQ(p.count, 4u);
  EXPECT_EQ(p.share, 0.25f);
  EXPECT_EQ(p.kind, "f16");
  EXPECT_EQ(p.ids, (std::vector<int32_t>{5, 6, 7}));
  EXPECT_TRUE(p.flag);
}

TEST(Arguments, WordsOfARepeatedOptionAreTakenAsTheyAre) {
  const std::vector<const char*> words = {"[INST]", "[a,b]", "a,b", "",
                                          "--flag", "{x}",   "a b", "%%"};
  std::vector<const char*> line = {"run"};
  for (const char* word : words) line.insert(line.end(), {"--stop", word});
  EXPECT_EQ(Parse(line).stops, std::vector<std::string>(words.begin(), words.end()));
  EXPECT_EQ(Parse({"run", "--stop=[a,b]"}).stops, std::vector<std::string>{"[a,b]"});
  EXPECT_TRUE(Parse({"run"}).stops.empty());
  EXPECT_THROW(Parse({"run", "--stop", "A", "B"}), UsageError);
  EXPECT_THROW(Parse({"run", "--stop"}), UsageError);
}

TEST(Arguments, WhatIsOutsideIsAUsageError) {
  EXPECT_THROW(Parse({}), UsageError);
  EXPECT_THROW(Parse({"nosuch"}), UsageError);
  EXPECT_THROW(Parse({"run", "--nosuch"}), UsageError);
  EXPECT_THROW(Parse({"run", "-n", "11"}), UsageError);
  EXPECT_THROW(Parse({"run", "-n", "-1"}), UsageError);
  EXPECT_THROW(Parse({"run", "-n", "four"}), UsageError);
  EXPECT_THROW(Parse({"run", "--share", "1.5"}), UsageError);
  EXPECT_THROW(Parse({"run", "--kind", "f64"}), UsageError);
}

}  // namespace
}  // namespace smallmind
