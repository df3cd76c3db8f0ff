// The record that the harness writes is what results/schema/ says, by a validator that is not ours.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "harness/report.h"
#include "harness/testing/paths.h"
#include "harness/testing/synthetic_run.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

int Validate(const fs::path& folder) {
  const std::string command = "/usr/bin/python3 '" + std::string(SMALLMIND_SOURCE_DIR) +
                              "/results/schema/validate.py' '" + folder.string() + "' >&2";
  const int status = std::system(command.c_str());
  return status == -1 ? -1 : (status >> 8) & 0xff;
}

class Schema : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("/usr/bin/python3 -c 'import jsonschema' 2>/dev/null") != 0) {
      const char* ci = std::getenv("CI");
      if (ci != nullptr && std::string(ci) == "true") FAIL() << "needs python3-jsonschema";
      GTEST_SKIP() << "needs python3-jsonschema";
    }
    folder_ = TestTempDir() /
              ("smallmind-schema-" +
               std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    SyntheticPlan plan;
    plan.variants = harness::FactorialVariants();
    plan.variants[3].logits_hash = "0000000000000000";
    plan.layouts = 2;
    plan.rounds = 6;
    plan.hog = [](int round, const std::string&) { return round == 3 ? 1.4 : 1.0; };
    run_ = MakeSyntheticRun(plan);
    run_.samples[5].status = SampleStatus::kTimeout;
    run_.samples[5].reason = "no end after 60 s";
    run_.samples[5].metrics.clear();
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_;
  harness::Run run_;
};

TEST_F(Schema, BeforeAndAfterTheReport) {
  WriteSyntheticRun(run_, folder_);
  EXPECT_EQ(Validate(folder_), 0);
  WriteReport(folder_.string());
  EXPECT_EQ(Validate(folder_), 0);
}

TEST_F(Schema, OneRoundBoundsNothing) {
  std::erase_if(run_.samples, [](const Sample& s) { return s.round > 0; });
  WriteSyntheticRun(run_, folder_);
  WriteReport(folder_.string());
  EXPECT_EQ(Validate(folder_), 0);
}

TEST_F(Schema, RejectsWhatItShould) {
  run_.samples[2].metrics["speed"] = 3.0;  // no metric of ours
  WriteSyntheticRun(run_, folder_);
  EXPECT_EQ(Validate(folder_), 1);
}

TEST_F(Schema, ContaminatedNeedsACause) {
  run_.samples[2].contaminated = true;
  run_.samples[2].contamination.clear();
  WriteSyntheticRun(run_, folder_);
  EXPECT_EQ(Validate(folder_), 1);
}

}  // namespace
}  // namespace smallmind::harness
