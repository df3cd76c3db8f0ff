#include "harness/manifest.h"

#include <gtest/gtest.h>

#include <fstream>

#include "harness/error.h"
#include "harness/testing/paths.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

fs::path WriteManifest(const std::string& text) {
  const fs::path build = TestTempDir() / "manifest_test";
  fs::create_directories(build / "variants");
  std::ofstream(build / "variants" / "manifest.json") << text;
  return build;
}

const char* kManifest =
    R"({"schema":1,"toolchain":"gcc","compiler":"GCC 12.2.0","git":"abc","dirty":true,
 "variants":[
  {"name":"o2","title":"Reference","binary":"variants/o2/smallmind","flags":"-O2","lto":false,"pgo":"none","group":"core","status":"built","build_seconds":12.5,"pgo_coverage":null},
  {"name":"lto","binary":"variants/lto/smallmind","lto":true,"group":"core","status":"built"},
  {"name":"bolt","group":"extra","status":"skipped","reason":"needs package bolt-19"}]})";

std::string ErrorOf(const fs::path& build, const std::string& wanted) {
  try {
    SelectVariants(ReadManifest(build), wanted);
  } catch (const HarnessError& error) {
    return std::to_string(error.exit_code()) + " " + error.what();
  }
  return "";
}

TEST(Manifest, RowsBecomeVariants) {
  const fs::path build = WriteManifest(kManifest);
  const Manifest manifest = ReadManifest(build);
  ASSERT_EQ(manifest.variants.size(), 3u);
  const VariantInfo& o2 = manifest.variants[0];
  EXPECT_EQ(o2.binary, (build / "variants/o2/smallmind").string());
  EXPECT_EQ(o2.lto, "off");
  EXPECT_EQ(manifest.variants[1].lto, "on");
  EXPECT_EQ(manifest.variants[1].title, "lto");
  EXPECT_EQ(o2.compiler, "GCC 12.2.0");
  EXPECT_EQ(o2.pgo_coverage, -1);
  EXPECT_TRUE(manifest.dirty);
  EXPECT_TRUE(o2.dirty);
}

TEST(Manifest, SelectsNamesGroupsAndAllInTheManifestsOrder) {
  const Manifest manifest = ReadManifest(WriteManifest(kManifest));
  EXPECT_EQ(SelectVariants(manifest, "all").size(), 3u);
  EXPECT_EQ(SelectVariants(manifest, "core").size(), 2u);
  const auto two = SelectVariants(manifest, "lto,o2,lto");
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[0].name, "o2");
}

TEST(Manifest, SecondToolchainIsMarked) {
  const std::string first = (WriteManifest(kManifest) / "variants/manifest.json").string();
  const Manifest both = ReadManifests({first, first});
  ASSERT_EQ(both.variants.size(), 6u);
  EXPECT_EQ(both.variants[3].name, "o2@gcc");
  EXPECT_EQ(SelectVariants(both, "o2").size(), 2u);
  EXPECT_EQ(SelectVariants(both, "core").size(), 4u);
  EXPECT_THROW(ReadManifests({"/nonexistent/x.json"}), BadInput);
}

TEST(Manifest, ErrorsAreOneLineWithTheKnownNames) {
  const fs::path build = WriteManifest(kManifest);
  const std::string unknown = ErrorOf(build, "nosuch");
  EXPECT_EQ(unknown,
            "1 unknown variant \"nosuch\"; known: o2, lto, bolt; groups: all, core, extra");
  EXPECT_NE(ErrorOf(build, "bolt").find("needs package bolt-19"), std::string::npos);
  EXPECT_EQ(ErrorOf(build, "").substr(0, 1), "1");
  EXPECT_EQ(ErrorOf(WriteManifest("{"), "all").substr(0, 1), "2");
  EXPECT_EQ(ErrorOf(WriteManifest(R"({"schema":1,"variants":[]})"), "all").substr(0, 1), "2");
  EXPECT_EQ(ErrorOf(WriteManifest(R"({"schema":7,"variants":[{}]})"), "all").substr(0, 1), "2");
  EXPECT_EQ(ErrorOf("/nonexistent", "all").substr(0, 1), "2");
}

}  // namespace
}  // namespace smallmind::harness
