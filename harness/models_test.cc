#include "harness/models.h"

#include <gtest/gtest.h>

#include <fstream>

#include "harness/error.h"
#include "harness/testing/paths.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

class ModelsTest : public ::testing::Test {
 protected:
  ModelsTest() : build_(TestTempDir() / "models_test"), processes_(LauncherPath(), nullptr) {
    fs::remove_all(build_);
    fs::create_directories(build_);
  }
  std::vector<ModelInfo> Resolve(const std::string& wanted) {
    return ResolveModels(wanted, build_, FakeVariantPath(), processes_);
  }
  int ExitCodeOf(const std::string& wanted) {
    try {
      Resolve(wanted);
    } catch (const HarnessError& error) {
      return error.exit_code();
    }
    return 0;
  }
  fs::path build_;
  RealProcessRunner processes_;
};

TEST_F(ModelsTest, MakesWhatIsMissingOnce) {
  const auto models = Resolve("stories15m-q8_0");
  ASSERT_EQ(models.size(), 1u);
  EXPECT_EQ(models[0].name, "stories15m-q8_0");
  std::string text;
  std::getline(std::ifstream(models[0].path), text);
  EXPECT_EQ(text, "GGUF stories15m Q8_0 1");
  std::ofstream(models[0].path) << "kept";
  EXPECT_EQ(Resolve("stories15m-q8_0")[0].file_bytes, 4);
}

TEST_F(ModelsTest, TakesFilesAsTheyAre) {
  const fs::path file = build_ / "my.model.gguf";
  std::ofstream(file) << "GGUF";
  EXPECT_EQ(Resolve(file.string())[0].name, "my.model");
}

TEST_F(ModelsTest, BadOnesAreNamed) {
  EXPECT_EQ(ExitCodeOf("/nonexistent/m.gguf"), kExitInput);
  EXPECT_EQ(ExitCodeOf(build_.string() + "/"), kExitInput);
  EXPECT_EQ(ExitCodeOf("nodash"), kExitInput);
  EXPECT_EQ(ExitCodeOf(""), kExitError);
  EXPECT_EQ(ExitCodeOf("stories15m-q8_0,stories15m-q8_0"), kExitError);
  EXPECT_THROW(ResolveModels("a-b", build_, "/bin/false", processes_), BadInput);
  EXPECT_TRUE(fs::is_empty(build_ / "models") || !fs::exists(build_ / "models/a-b.gguf"));
}

}  // namespace
}  // namespace smallmind::harness
