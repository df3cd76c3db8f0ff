#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "engine/base/ascii_case.h"
#include "engine/base/checked.h"
#include "engine/base/error.h"
#include "engine/base/forward_window.h"
#include "engine/base/huge_pages.h"
#include "engine/base/json_writer.h"
#include "engine/base/mapped_file.h"
#include "engine/base/quote.h"
#include "engine/base/rng.h"

namespace smallmind {
namespace {

std::string TempPath(const std::string& name) {
  return testing::TempDir() + "base_test_" + std::to_string(getpid()) + name;
}

TEST(MappedFile, ReadsBytesAndSurvivesMoves) {
  const std::string path = TempPath("map");
  std::ofstream(path, std::ios::binary) << "abc";
  MappedFile first = MappedFile::Open(path);
  MappedFile second = std::move(first);
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  EXPECT_EQ(first.bytes().size(), 0u);
  ASSERT_EQ(second.bytes().size(), 3u);
  EXPECT_EQ(second.bytes()[2], 'c');
  MappedFile third;
  third = std::move(second);
  EXPECT_EQ(third.bytes()[0], 'a');
  EXPECT_EQ(third.path(), path);
  std::remove(path.c_str());
}

TEST(MappedFile, CopiesWhatIsAskedFor) {
  const std::string path = TempPath("read");
  std::ofstream(path, std::ios::binary) << "0123456789";
  const MappedFile file = MappedFile::Open(path);
  std::vector<uint8_t> to(4, 'x');
  EXPECT_EQ(file.Read(3, to), 4u);
  EXPECT_EQ(std::string(to.begin(), to.end()), "3456");
  EXPECT_EQ(file.Read(8, to), 2u);
  EXPECT_EQ(std::string(to.begin(), to.end()), "8956");
  EXPECT_EQ(file.Read(10, to), 0u);
  EXPECT_EQ(MappedFile().Read(0, to), 0u);
  std::remove(path.c_str());
}

// Of a file and of memory the same bytes, whatever the steps.
TEST(ForwardWindow, GivesEveryByteOnce) {
  const std::string path = TempPath("window");
  std::vector<uint8_t> bytes(300000);
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  const MappedFile file = MappedFile::Open(path);
  constexpr size_t kBegin = 77;
  for (const size_t step : {1, 8, 4096, 32768, 32769, 100000, 299923}) {
    for (const bool mapped : {false, true}) {
      const std::span<const uint8_t> all = mapped ? file.bytes() : std::span<const uint8_t>(bytes);
      ForwardWindow window(all.subspan(kBegin), mapped ? &file : nullptr);
      size_t at = 0;
      while (at < bytes.size() - kBegin) {
        const std::span<const uint8_t> got = window.At(at, step);
        ASSERT_EQ(got.size(), std::min(step, bytes.size() - kBegin - at));
        ASSERT_TRUE(std::equal(got.begin(), got.end(), bytes.data() + kBegin + at)) << at;
        at += got.size();
      }
      EXPECT_TRUE(window.At(at, step).empty());
      EXPECT_TRUE(window.At(at, std::numeric_limits<size_t>::max()).empty());
    }
  }
  std::remove(path.c_str());
}

// A small file: a large one many file systems align by themselves.
TEST(MappedFile, IsWhereHugePagesCanBegin) {
  const std::string path = TempPath("aligned");
  std::ofstream(path, std::ios::binary) << std::string(5000, 'x');
  for (int i = 0; i < 3; ++i) {
    const MappedFile file = MappedFile::Open(path);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(file.bytes().data()) % (2 << 20), 0u);
  }
  std::remove(path.c_str());
}

// As the kernel tells of the mapping: "hg" among its flags (proc_pid_smaps(5)).
TEST(MappedFile, AsksForHugePages) {
  if (!std::filesystem::exists("/sys/kernel/mm/transparent_hugepage")) {
    GTEST_SKIP() << "this kernel has no transparent huge pages";
  }
  const std::string path = TempPath("huge");
  std::ofstream(path, std::ios::binary) << std::string(5 << 20, 'x');
  const MappedFile file = MappedFile::Open(path);
  std::ifstream smaps("/proc/self/smaps");
  std::string flags;
  bool ours = false;
  for (std::string line; flags.empty() && std::getline(smaps, line);) {
    if (line.ends_with(path)) ours = true;
    if (ours && line.starts_with("VmFlags:")) flags = line + " ";
  }
  EXPECT_NE(flags.find(" hg "), std::string::npos) << flags;
  std::remove(path.c_str());
}

// A file of the page cache comes back as it was; memory of others, where forgetting would mean
// zeros, is left alone.
TEST(MappedFile, WhatIsForgottenComesBack) {
  const std::string path = TempPath("forget");
  const std::string text(5 << 20, 'x');
  std::ofstream(path, std::ios::binary) << text;
  const MappedFile file = MappedFile::Open(path);
  file.Forget(file.bytes());
  file.Forget(file.bytes().subspan(4097, 100));
  EXPECT_EQ(std::count(file.bytes().begin(), file.bytes().end(), 'x'), 5 << 20);
  HugePages other(5 << 20);
  std::fill(other.bytes().begin(), other.bytes().end(), 'y');
  file.Forget(other.bytes());
  EXPECT_EQ(std::count(other.bytes().begin(), other.bytes().end(), 'y'), 5 << 20);
  std::remove(path.c_str());
}

TEST(HugePages, AreAlignedZeroedAndSurviveMoves) {
  HugePages first(3 << 20);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first.bytes().data()) % (2 << 20), 0u);
  EXPECT_EQ(std::count(first.bytes().begin(), first.bytes().end(), 0), 3 << 20);
  first.bytes().back() = 7;
  HugePages second = std::move(first);
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  EXPECT_TRUE(first.bytes().empty());
  HugePages third;
  third = std::move(second);
  ASSERT_EQ(third.bytes().size(), size_t{3 << 20});
  EXPECT_EQ(third.bytes().back(), 7);
  EXPECT_TRUE(HugePages(0).bytes().empty());
}

TEST(MappedFile, RefusesWhatCannotBeMapped) {
  const std::string empty = TempPath("empty");
  std::ofstream(empty, std::ios::binary).flush();
  for (const std::string& path :
       {empty, TempPath("missing"), testing::TempDir(), std::string("/dev/null")}) {
    EXPECT_THROW(MappedFile::Open(path), InputError) << path;
  }
  std::remove(empty.c_str());
}

// Reference values: splitmix64 from seed 0 as published with the algorithm (0xe220a8397b1dcdaf
// first).
TEST(Rng, SplitMixMatchesPublishedValues) {
  SplitMix64 mix(0);
  EXPECT_EQ(mix.Next(), 0xe220a8397b1dcdafu);
  EXPECT_EQ(mix.Next(), 0x6e789e6aa1b965f4u);
  EXPECT_EQ(mix.Next(), 0x06c45d188009454fu);
}

TEST(Rng, SequencesAreFixedForever) {
  Rng rng(1);
  EXPECT_EQ(rng.Next(), 0xb3f2af6d0fc710c5u);
  EXPECT_EQ(rng.Next(), 0x853b559647364ceau);
}

TEST(Rng, DistributionsHaveTheirMoments) {
  Rng rng(7);
  double sum = 0, squares = 0, uniform = 0;
  constexpr int kDraws = 200000;
  std::array<int, 10> counts = {};
  for (int i = 0; i < kDraws; ++i) {
    const double x = rng.Normal();
    sum += x;
    squares += x * x;
    const float u = rng.Uniform();
    ASSERT_GE(u, 0.0f);
    ASSERT_LT(u, 1.0f);
    uniform += u;
    ++counts[rng.Below(10)];
  }
  EXPECT_NEAR(sum / kDraws, 0.0, 0.01);
  EXPECT_NEAR(squares / kDraws, 1.0, 0.01);
  EXPECT_NEAR(uniform / kDraws, 0.5, 0.005);
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 10, 600);
}

TEST(Rng, NamedStreamsDiffer) {
  EXPECT_NE(Rng(1, "a").Next(), Rng(1, "b").Next());
  EXPECT_NE(Rng(1, "a", 0).Next(), Rng(1, "a", 1).Next());
  EXPECT_EQ(Rng(1, "a", 5).Next(), Rng(1, "a", 5).Next());
}

TEST(Checked, SaysWhereItWouldWrap) {
  uint64_t out = 0;
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  EXPECT_FALSE(CheckedMul(uint64_t{1} << 32, uint64_t{1} << 32, &out));
  EXPECT_TRUE(CheckedMul(uint64_t{1} << 31, uint64_t{1} << 32, &out));
  EXPECT_FALSE(CheckedAdd(kMax, 1, &out));
  EXPECT_FALSE(CheckedAlignUp(kMax - 3, 32, &out));
  ASSERT_TRUE(CheckedAlignUp(33, 32, &out));
  EXPECT_EQ(out, 64u);
  ASSERT_TRUE(CheckedAlignUp(64, 32, &out));
  EXPECT_EQ(out, 64u);
}

TEST(JsonLine, WritesFieldsInOrder) {
  const std::vector<double> values = {0.5, 1e300};
  EXPECT_EQ(JsonLine()
                .Add("event", "token")
                .Add("n", int64_t{-3})
                .Add("u", std::numeric_limits<uint64_t>::max())
                .Add("b", true)
                .Add("d", 0.1)
                .Add("nan", std::nan(""))
                .AddArray("a", std::span<const double>(values))
                .AddRaw("o", JsonLine().str())
                .str(),
            R"({"event":"token","n":-3,"u":18446744073709551615,"b":true,"d":0.1,"nan":null,)"
            R"("a":[0.5,1e+300],"o":{}})");
}

TEST(JsonLine, EscapesAndRepairsText) {
  EXPECT_EQ(JsonQuote("a\"b\\c\n\x01"), R"("a\"b\\c\n\u0001")");
  EXPECT_EQ(JsonQuote("é😀"), "\"é😀\"");
  const std::string bad = "\xff\xc0\xaf\xed\xa0\x80x\xe2\x82";  // stray, overlong, surrogate, cut
  const std::string fixed = JsonQuote(bad);
  EXPECT_EQ(fixed.find('\xff'), std::string::npos);
  EXPECT_NE(fixed.find('x'), std::string::npos);
}

TEST(AsciiCase, ComparesLettersAlone) {
  EXPECT_TRUE(SameIgnoringCase("iq4_NL", "IQ4_nl"));
  EXPECT_TRUE(SameIgnoringCase("", ""));
  EXPECT_FALSE(SameIgnoringCase("Q4", "Q4_K"));
  EXPECT_FALSE(SameIgnoringCase("@", "`")) << "beside the letters, 32 apart too";
  EXPECT_FALSE(SameIgnoringCase("[", "{"));
}

TEST(Quote, IsOneShortLine) {
  EXPECT_EQ(Quote("a\nb"), "'a\\x0ab'");
  EXPECT_LT(Quote(std::string(5000, 'x')).size(), 210u);
  EXPECT_EQ(Quote("é\xc2\x9bz\xff\xc3"), "'é\\xc2\\x9bz\\xff\\xc3'");
  EXPECT_EQ(Quote("aéé", 4), "'aé…'") << "cut between characters";
  EXPECT_EQ(Quote("aéé", 5), "'aéé'");
  const std::vector<char> cut = {'a', '\xc2'};  // the first byte of a control character ends it
  EXPECT_EQ(Quote({cut.data(), cut.size()}), "'a\\xc2'");
}

}  // namespace
}  // namespace smallmind
