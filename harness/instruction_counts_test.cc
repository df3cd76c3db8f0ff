// The arithmetic of the three processes, and every way in which a row cannot be counted.
#include "harness/instruction_counts.h"

#include <gtest/gtest.h>

#include <functional>
#include <mutex>

namespace smallmind::harness {
namespace {

// 1000 to start, 10 a prompt token, 100 a generated one.
class FakeValgrind : public ProcessRunner {
 public:
  std::function<void(const std::string& binary, ProcessResult&)> behave = [](const std::string&,
                                                                             ProcessResult&) {};
  std::vector<std::vector<std::string>> commands;

  ProcessResult Run(const ProcessRequest& request) override {
    const std::lock_guard lock(mutex_);
    commands.push_back(request.argv);
    ProcessResult result;
    result.started = true;
    const auto value = [&](const char* flag) {
      return std::stoi(*std::next(std::ranges::find(request.argv, flag)));
    };
    result.err_tail = "==7== Events    : Ir\n==7== Collected : " +
                      std::to_string(1000 + 10 * value("-p") + 100 * value("-n")) +
                      "\n==7==\n==7== I   refs: 1\n";
    behave(request.argv[3], result);
    return result;
  }

 private:
  std::mutex mutex_;
};

RunInfo ThreeVariants() {
  RunInfo run;
  for (const char* name : {"o2", "native", "scalar"}) {
    VariantInfo v;
    v.name = v.binary = name;
    v.dispatch = std::string(name) == "o2" ? "dynamic" : "static";
    v.expected_target = std::string(name) == "scalar" ? "EMU128" : "AVX3_ZEN4";
    run.variants.push_back(v);
  }
  run.models.resize(2);
  run.models[0].name = run.models[0].path = "large";
  run.models[0].file_bytes = 200;
  run.models[1].name = run.models[1].path = "small";
  run.models[1].file_bytes = 100;
  return run;
}

TEST(InstructionCounts, AreDifferencesOfProcesses) {
  RunInfo run = ThreeVariants();
  FakeValgrind valgrind;
  CountInstructions(run, valgrind, {"valgrind", 20, 3});
  ASSERT_EQ(run.instructions.size(), 3u);
  for (const size_t i : {0, 2}) {
    EXPECT_EQ(run.instructions[i].reason, "");
    EXPECT_EQ(run.instructions[i].model, "small");
    EXPECT_DOUBLE_EQ(run.instructions[i].prefill, 10);
    EXPECT_DOUBLE_EQ(run.instructions[i].decode, 100);
    EXPECT_EQ(run.instructions[i].totals.size(), 3u);
    EXPECT_EQ(run.instructions[i].totals.at("p8-n2"), 1280);
  }
  EXPECT_EQ(run.instructions[0].target, "AVX2");
  EXPECT_EQ(run.instructions[2].target, "EMU128");
  size_t capped = 0;
  for (const auto& argv : valgrind.commands) {
    EXPECT_EQ(argv[1], "--tool=callgrind");
    capped += std::ranges::count(argv, "--target");
    EXPECT_EQ(std::ranges::count(argv, "--target"), argv[3] == "o2" ? 1 : 0);
  }
  EXPECT_EQ(valgrind.commands.size(), 6u);  // native is not tried
  EXPECT_EQ(capped, 3u);
}

TEST(InstructionCounts, SayWhatCannotBeCounted) {
  RunInfo run = ThreeVariants();
  FakeValgrind valgrind;
  valgrind.behave = [](const std::string& binary, ProcessResult& result) {
    if (binary == "o2") result.timed_out = true;
    if (binary == "scalar") result.signal = 4;
  };
  CountInstructions(run, valgrind, {"valgrind", 20, 1});
  EXPECT_EQ(run.instructions[0].reason, "more than 20 s a process under valgrind");
  EXPECT_EQ(run.instructions[1].reason, "compiled for AVX3_ZEN4 alone: valgrind knows no AVX-512");
  EXPECT_EQ(run.instructions[2].reason, "ended by SIGILL under valgrind");
  EXPECT_LT(run.instructions[0].decode, 0);
  EXPECT_EQ(valgrind.commands.size(), 2u);  // the first failure ends a variant

  valgrind.behave = [](const std::string& binary, ProcessResult& result) {
    if (binary == "o2") result.err_tail = "no such tool";
    if (binary == "scalar") result.err_tail = "==1== Collected : 5\n";
  };
  CountInstructions(run, valgrind, {"valgrind", 20, 1});
  EXPECT_EQ(run.instructions[0].reason, "valgrind printed no count");
  EXPECT_EQ(run.instructions[2].reason, "its counts do not grow with the tokens");
}

TEST(InstructionCounts, WithoutValgrindItsPackageIsNamed) {
  RunInfo run = ThreeVariants();
  FakeValgrind valgrind;
  CountInstructions(run, valgrind, {"", 20, 1});
  ASSERT_EQ(run.instructions.size(), 3u);
  EXPECT_EQ(run.instructions[0].reason, "needs valgrind (package valgrind)");
  EXPECT_TRUE(valgrind.commands.empty());
}

TEST(InstructionCounts, PeersAndSkippedRowsAreLeftOut) {
  RunInfo run = ThreeVariants();
  run.variants[1].kind = VariantKind::kPeer;
  run.variants[2].status = "skipped";
  FakeValgrind valgrind;
  CountInstructions(run, valgrind, {"valgrind", 20, 4});
  ASSERT_EQ(run.instructions.size(), 1u);
  EXPECT_EQ(run.instructions[0].variant, "o2");
}

}  // namespace
}  // namespace smallmind::harness
