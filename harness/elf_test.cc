#include "harness/elf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/error.h"
#include "harness/testing/paths.h"

namespace smallmind::harness {

// Found again by name and size below.
extern "C" __attribute__((noinline, used)) int ElfTestMarkerFunction(int x) { return x * 3 + 1; }
extern "C" {
#ifdef __clang__
__attribute__((no_sanitize("address")))  // which would count its red zone to the symbol
#endif
__attribute__((used)) char elf_test_marker_data[12345] = {1};
}

namespace {

namespace fs = std::filesystem;

std::string Self() { return fs::canonical("/proc/self/exe").string(); }

TEST(Elf, SectionsOfThisBinary) {
  const BinarySize size = SectionSizes(Self());
  EXPECT_EQ(size.file_bytes, static_cast<int64_t>(fs::file_size(Self())));
  EXPECT_GT(size.sections.at(".text"), 1000);
  EXPECT_GE(size.text_bytes, size.sections.at(".text"));
  EXPECT_GT(size.sections.at(".data"), 12345);
  EXPECT_EQ(size.text_hash.size(), 16u);
}

TEST(Elf, SymbolsOfThisBinary) {
  const auto symbols = SymbolSizes(Self());
  const auto find = [&](const std::string& name) {
    return *std::find_if(symbols.begin(), symbols.end(),
                         [&](const SymbolSize& symbol) { return symbol.name == name; });
  };
  EXPECT_EQ(find("elf_test_marker_data").bytes, 12345);
  EXPECT_EQ(find("elf_test_marker_data").section, ".data");
  EXPECT_TRUE(find("ElfTestMarkerFunction").function);
}

TEST(Elf, StrippedSizeIsWhatStripLeaves) {
  const std::string copy = (TestTempDir() / "stripped").string();
  fs::copy_file(Self(), copy, fs::copy_options::overwrite_existing);
  if (std::system(("strip -s " + copy).c_str()) != 0) GTEST_SKIP() << "needs binutils' strip";
  const double actual = static_cast<double>(fs::file_size(copy));
  EXPECT_NEAR(static_cast<double>(SectionSizes(Self()).stripped_bytes), actual, actual * 0.002);
  EXPECT_NEAR(static_cast<double>(SectionSizes(copy).stripped_bytes), actual, actual * 0.002);
  EXPECT_EQ(SectionSizes(copy).text_hash, SectionSizes(Self()).text_hash);
  EXPECT_TRUE(SymbolSizes(copy).empty());
}

TEST(Elf, OtherFilesAreBadInput) {
  const std::string path = (TestTempDir() / "not.elf").string();
  std::ofstream(path) << "#!/bin/sh\n";
  EXPECT_THROW(SectionSizes(path), BadInput);
  EXPECT_THROW(SectionSizes(path + ".missing"), BadInput);
  std::ifstream self(Self(), std::ios::binary);
  std::string head(3000, '\0');
  self.read(head.data(), head.size());
  std::ofstream(path, std::ios::binary) << head;  // section headers are past the end
  EXPECT_THROW(SectionSizes(path), BadInput);
}

}  // namespace
}  // namespace smallmind::harness
