#include "harness/verify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "harness/error.h"
#include "harness/testing/paths.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

// "logits" writes what `rule` says for its command line; "info" lists two targets.
class FakeEngine : public ProcessRunner {
 public:
  std::function<std::string(const std::vector<std::string>&)> rule;
  ProcessResult Run(const ProcessRequest& request) override {
    ProcessResult result;
    result.started = true;
    const auto& argv = request.argv;
    if (argv[1] == "info") {
      result.out = R"({"dispatch":"dynamic","targets":["AVX2","SSE4"]})"
                   "\n";
      return result;
    }
    const std::string bytes = rule(argv);
    if (bytes.empty()) {
      result.exit_code = 2;
      result.err_tail = "smallmind: no\n";
      return result;
    }
    const auto at = std::ranges::find(argv, std::string("--output"));
    std::ofstream(*(at + 1), std::ios::binary) << bytes;
    return result;
  }
};

bool Has(const std::vector<std::string>& argv, const std::string& word) {
  return std::ranges::find(argv, word) != argv.end();
}

class VerifyTest : public ::testing::Test {
 protected:
  VerifyTest() {
    plan_.scratch = TestTempDir() / "verify";
    fs::create_directories(plan_.scratch);
    for (const char* name : {"o2", "lto"}) {
      plan_.variants.push_back({});
      plan_.variants.back().name = plan_.variants.back().binary = name;
    }
    plan_.models.push_back({});
    plan_.models[0].name = "tiny";
    plan_.tokens = "1,2";
    plan_.threads = {1, 2};
    plan_.batches = {1};
  }
  std::vector<VerifyCell> Verify(std::function<std::string(const std::vector<std::string>&)> rule) {
    engine_.rule = std::move(rule);
    return VerifyBits(plan_, engine_, interrupt_);
  }
  VerifyPlan plan_;
  FakeEngine engine_;
  std::atomic<bool> interrupt_ = false;
  const std::string kBits = std::string("\0\0\x80\x3f\0\0\0\x40", 8);  // 1, 2
  const std::string kOthers = std::string("\1\0\x80\x3f\0\0\0\x40", 8);
};

TEST_F(VerifyTest, IdenticalEverywhere) {
  const auto cells = Verify([&](const auto&) { return kBits; });
  EXPECT_EQ(cells.size(), 2u * (1 + 2 + 1 + 2));
  EXPECT_EQ(VerifyExitCode(cells), 0) << VerifyText(cells);
}

TEST_F(VerifyTest, OneThreadCountOfOneVariantDiffers) {
  const auto cells = Verify([&](const auto& argv) {
    return argv[0] == "lto" && Has(argv, "2") && Has(argv, "-t") ? kOthers : kBits;
  });
  EXPECT_EQ(VerifyExitCode(cells), kExitRegression);
  EXPECT_NE(VerifyText(cells).find("tiny, lto, threads 2: DIFFERS: 1 of 2 logits"),
            std::string::npos)
      << VerifyText(cells);
}

TEST_F(VerifyTest, TargetsWithoutFmaAreNotPromised) {
  const auto cells = Verify([&](const auto& argv) { return Has(argv, "SSE4") ? kOthers : kBits; });
  EXPECT_EQ(VerifyExitCode(cells), 0);
  EXPECT_NE(VerifyText(cells).find("not promised"), std::string::npos);
  const auto worse = Verify([&](const auto& argv) { return Has(argv, "AVX2") ? kOthers : kBits; });
  EXPECT_EQ(VerifyExitCode(worse), kExitRegression);
}

TEST_F(VerifyTest, FailuresAreFailures) {
  const auto cells =
      Verify([&](const auto& argv) { return argv[0] == "lto" ? std::string() : kBits; });
  EXPECT_EQ(VerifyExitCode(cells), kExitError);
  EXPECT_NE(VerifyText(cells).find("exit code 2: smallmind: no"), std::string::npos);
}

TEST(CompareFloats, SaysHowMuch) {
  EXPECT_EQ(CompareFloats("", ""), "");
  EXPECT_NE(CompareFloats("abcd", "abcdefgh").find("8 bytes"), std::string::npos);
}

}  // namespace
}  // namespace smallmind::harness
