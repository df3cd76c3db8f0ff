#include "engine/cli/arguments.h"

#include <gtest/gtest.h>

#include <limits>

#include "engine/base/error.h"

namespace smallmind {
namespace {

struct Parsed {
  uint64_t count = 3, seed = 0;
  int depth = 0;
  float share = 0.5f, penalty = 1;
  double waste = 0;
  std::string kind = "f16", name;
  std::vector<int32_t> ids;
  std::vector<std::string> stops;
  bool flag = false;
  int code = -1;
};

Parsed Parse(std::vector<const char*> words) {
  Parsed p;
  Program program("test", "");
  program.Add("run", "runs", [&p](Command& run) {
    run.Option("-n,--count", &p.count, "count").Range(1, 10).ShowDefault();
    run.Option("--seed", &p.seed, "seed");
    run.Option("--depth", &p.depth, "depth");
    run.Option("--share", &p.share, "share").RealRange(0, 1);
    run.Option("--waste", &p.waste, "waste").RealRange(0, 1000);
    run.Option("--penalty", &p.penalty, "penalty").Positive();
    run.Option("--kind", &p.kind, "kind").OneOf({"f16", "f32"});
    run.Option("--name", &p.name, "name").NotEmpty();
    run.Option("--ids", &p.ids, "ids");
    run.Option("--stop", &p.stops, "stop");
    run.Flag("-f,--flag", &p.flag, "flag");
    run.Runs([] { return 7; });
  });
  program.Add("other", "does something else", [](Command& other) { other.Runs([] { return 8; }); });
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

// The usage error's text; "" where there is none.
std::string Refusal(const std::vector<const char*>& words) {
  try {
    Parse(words);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(Arguments, NumbersAreWholeWordsInBaseTen) {
  EXPECT_EQ(Parse({"run", "-n", "010"}).count, 10u);
  EXPECT_EQ(Parse({"run", "--seed", "18446744073709551615"}).seed, ~uint64_t{0});
  EXPECT_EQ(Parse({"run", "--depth", "-2147483648"}).depth, std::numeric_limits<int>::min());
  EXPECT_EQ(Parse({"run", "--share", "1e-1"}).share, 0.1f);
  EXPECT_EQ(Parse({"run", "--ids=-1"}).ids, std::vector<int32_t>{-1});
  EXPECT_EQ(Refusal({"run", "-n", "-1"}), "--count: '-1' is not a whole number from 1 to 10");
  EXPECT_EQ(Refusal({"run", "--waste", "nan"}), "--waste: 'nan' is not a number from 0 to 1000");
  EXPECT_EQ(Refusal({"run", "--penalty", "0"}), "--penalty: '0' is not a number > 0");
  const std::string seed = "' is not a whole number from 0 to 18446744073709551615";
  for (const char* word : {"", " 1", "1 ", "+1", "0x1", "1.0", "1e3", "-1", "-0x1", "1_0",
                           "18446744073709551616", "-18446744073709551615"}) {
    EXPECT_EQ(Refusal({"run", "--seed", word}), std::string("--seed: '") + word + seed);
    EXPECT_NE(Refusal({"run", "-n", word}), "") << word;
  }
  for (const char* word : {"", "2147483648", "-2147483649"}) {
    EXPECT_NE(Refusal({"run", "--depth", word}).find("from -2147483648 to 2147483647"),
              std::string::npos);
  }
  for (const char* word : {"", "nan", "-nan", "inf", "-inf", "-1", "0.5 ", "1e999", "1e-999"}) {
    for (const char* option : {"--share", "--waste", "--penalty"}) {
      EXPECT_NE(Refusal({"run", option, word}), "") << option << " " << word;
    }
  }
  for (const char* word : {"", ",", "1,", ",1", "1,,2", "1, 2", "1;2", "1,2147483648", "[1,2]"}) {
    EXPECT_EQ(
        Refusal({"run", "--ids", word}),
        std::string("--ids: '") + word + "' is not whole numbers below 2^31 with commas between");
  }
}

TEST(Arguments, AnUnknownSubcommandIsNamed) {
  EXPECT_EQ(Refusal({}), "A subcommand is required");
  for (const char* word : {"nosuch", "help", "--version", "", "-n"}) {
    EXPECT_EQ(Refusal({word}),
              "'" + std::string(word) + "' is no subcommand; there are run, other");
  }
  EXPECT_EQ(Refusal({"nosuch", "-n", "3"}), "'nosuch' is no subcommand; there are run, other");
}

TEST(Arguments, NamesMayHaveToBeGiven) {
  EXPECT_EQ(Refusal({"run", "--name", ""}), "--name: the name is empty");
  EXPECT_EQ(Parse({"run", "--name", " "}).name, " ");
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
