// A repository of two commits whose scripts/build writes a manifest and a program: what BuildRef
// needs of a commit, without a compiler.
#include "harness/worktree_build.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "harness/error.h"
#include "harness/testing/paths.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

std::string ReadAll(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

constexpr const char* kGoodBuild = R"(#!/bin/sh
cd "$(dirname "$0")/.." || exit 1
echo built by "$CXX" >> builds.log
[ "$1 $2 $3" = "--variants o2 --toolchain" ] || { echo "asked for $*" >&2; exit 1; }
build=build; [ "$4" = gcc ] || build=build-$4
mkdir -p $build/variants/o2
{ cat program; [ "$4" = gcc ] || printf ' by %s' "$4"; } > $build/variants/o2/smallmind
echo '{"schema":1,"toolchain":"gcc","compiler":"GCC 12.2.0","git":"x","variants":[
  {"name":"o2","binary":"variants/o2/smallmind","status":"built"},
  {"name":"pgo","status":"skipped","reason":"no profile"}]}' > $build/variants/manifest.json
)";

class WorktreeBuild : public ::testing::Test {
 protected:
  WorktreeBuild() {
    fs::remove_all(root_);
    fs::create_directories(source_ / "scripts");
    fs::create_directories(build_ / "bin");
    fs::copy_file(LauncherPath(), build_ / "bin" / "launcher");
    Git("init -q");
    Commit("first", kGoodBuild);
    Commit("second", kGoodBuild);
    Commit("broken", "#!/bin/sh\necho 'matmul.cc: no such thing' >&2\nexit 1\n");
    Git("rm -q -r scripts");
    Git("commit -q -m bare");
  }
  ~WorktreeBuild() override { fs::remove_all(root_); }

  void Git(const std::string& arguments) {
    const std::string command = "git -C '" + source_.string() +
                                "' -c user.name=t -c user.email=t@t -c commit.gpgsign=false " +
                                arguments + " > /dev/null 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  void Commit(const std::string& program, const std::string& build_script) {
    std::ofstream(source_ / "program") << program;
    std::ofstream(source_ / "scripts" / "build") << build_script;
    fs::permissions(source_ / "scripts" / "build", fs::perms::owner_all);
    Git("add -A");
    Git("commit -q -m " + program);
  }
  VariantInfo Now(const std::string& toolchain = "gcc", const std::string& compiler = "") {
    VariantInfo now;
    now.name = "o2";
    now.toolchain = toolchain;
    now.compiler = compiler;
    now.binary = (build_ / "variants" / "o2" / "smallmind").string();
    return now;
  }
  VariantInfo Build(const std::string& ref) { return BuildRef(ref, Now(), source_, build_); }
  std::string ErrorOf(const std::string& ref, const std::string& compiler = "") {
    try {
      BuildRef(ref, Now("gcc", compiler), source_, build_);
    } catch (const BadInput& error) {
      return error.what();
    }
    return "no error";
  }

  const fs::path root_ = TestTempDir() / "worktree_build_test";
  const fs::path source_ = root_ / "source";
  const fs::path build_ = root_ / "build";
};

TEST_F(WorktreeBuild, BuildsThatCommitBesideThisOne) {
  const VariantInfo first = Build("HEAD~3"), second = Build("HEAD~2");
  EXPECT_EQ(ReadAll(first.binary), "first");
  EXPECT_EQ(ReadAll(second.binary), "second");
  EXPECT_EQ(first.name, "o2@HEAD~3");
  EXPECT_NE(first.git, second.git);
  EXPECT_EQ(ReadAll(source_ / "program"), "broken") << "the working tree is left alone";
}

TEST_F(WorktreeBuild, TheOtherCommitIsBuiltByTheSameToolchain) {
  EXPECT_EQ(ReadAll(BuildRef("HEAD~3", Now("clang"), source_, build_).binary), "first by clang");
}

TEST_F(WorktreeBuild, TheOtherCommitIsBuiltByTheSameCompilerOrNotCompared) {
  std::ofstream(build_ / "CMakeCache.txt") << "A:STRING=x\nCMAKE_CXX_COMPILER:STRING=/bin/g++-13\n";
  const VariantInfo first = BuildRef("HEAD~3", Now("gcc", "GCC 12.2.0"), source_, build_);
  const fs::path tree = fs::path(first.binary).parent_path().parent_path().parent_path();
  EXPECT_EQ(ReadAll(tree.parent_path() / "builds.log"), "built by /bin/g++-13\n");
  EXPECT_NE(ErrorOf("HEAD~3", "GCC 13.1.0").find("built by GCC 12.2.0, this tree by GCC 13.1.0"),
            std::string::npos);
}

TEST_F(WorktreeBuild, AnInterruptIsNotABrokenBuild) {
  const std::atomic<bool> interrupt = true;
  try {
    BuildRef("HEAD~3", Now(), source_, build_, &interrupt);
    FAIL() << "it was interrupted";
  } catch (const HarnessError& error) {
    EXPECT_EQ(error.exit_code(), kExitInterrupted) << error.what();
  }
}

TEST_F(WorktreeBuild, TheSameCommitKeepsItsTree) {
  const VariantInfo first = Build("HEAD~3"), again = Build("HEAD~3");
  EXPECT_EQ(first.binary, again.binary);
  const fs::path tree = fs::path(first.binary).parent_path().parent_path().parent_path();
  EXPECT_EQ(std::ranges::count(ReadAll(tree.parent_path() / "builds.log"), '\n'), 2);
}

TEST_F(WorktreeBuild, ATreeThatWasDeletedIsMadeAgain) {
  Build("HEAD~3");
  fs::remove_all(build_ / "against");
  EXPECT_EQ(ReadAll(Build("HEAD~3").binary), "first");
}

TEST_F(WorktreeBuild, SaysWhatIsWrong) {
  EXPECT_NE(ErrorOf("nosuch").find("no such commit"), std::string::npos);
  EXPECT_NE(ErrorOf("HEAD~1").find("matmul.cc: no such thing"), std::string::npos);
  EXPECT_NE(ErrorOf("HEAD").find("no scripts/build"), std::string::npos);
}

}  // namespace
}  // namespace smallmind::harness
