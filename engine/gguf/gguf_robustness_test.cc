// Real files, damaged: each either opens or is refused with InputError, and what opens can be
// walked.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/rng.h"
#include "engine/base/testing.h"
#include "engine/gguf/gguf.h"
#include "engine/tensor/decode.h"

namespace smallmind {
namespace {

std::vector<std::filesystem::path> Models() {
  std::vector<std::filesystem::path> paths = GoldenModels();
  const auto stories = StoriesModel();
  if (std::filesystem::exists(stories)) paths.push_back(stories);
  std::sort(paths.begin(), paths.end());
  return paths;
}

// Whether the bytes open. Touches everything a loader would: every value, every tensor's first and
// last row.
bool OpensAndWalks(std::span<const uint8_t> bytes) {
  try {
    const GgufFile file = GgufFile::FromBytes(bytes, "damaged");
    size_t sum = 0;
    for (const auto& entry : file.Describe()) sum += entry.value.size();
    std::vector<float> row;
    for (const GgufTensor& tensor : file.tensors()) {
      const WeightView view = tensor.View();
      row.resize(view.cols);
      DecodeScalar(view.type, view.Row(0), view.cols, row.data());
      DecodeScalar(view.type, view.Row(view.rows - 1), view.cols, row.data());
    }
    if (const GgufArray* tokens = file.Array("tokenizer.ggml.tokens")) {
      for (const std::string_view text : tokens->Strings()) sum += text.size();
    }
    return sum > 0;
  } catch (const InputError&) {
    return false;
  }
}

TEST(GgufRobustness, TruncationIsAlwaysNoticed) {
  Rng rng(200);
  for (const auto& path : Models()) {
    const std::vector<uint8_t> bytes = ReadAll<std::vector<uint8_t>>(path);
    ASSERT_TRUE(OpensAndWalks(bytes)) << path;
    for (int i = 0; i < 200; ++i) {
      // The file ends in at most 31 bytes of padding, which nobody would miss.
      const auto size = static_cast<size_t>(rng.Below(bytes.size() - 32));
      // A copy of exactly that size, so that a sanitizer sees a read past its end.
      const std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
      EXPECT_FALSE(OpensAndWalks(cut)) << path << " cut to " << size;
    }
  }
}

TEST(GgufRobustness, HeaderByteFlipsNeverDoHarm) {
  Rng rng(2000);
  for (const auto& path : Models()) {
    std::vector<uint8_t> bytes = ReadAll<std::vector<uint8_t>>(path);
    const GgufFile file = GgufFile::Open(path);
    const size_t header =
        bytes.size() - static_cast<size_t>(std::accumulate(
                           file.tensors().begin(), file.tensors().end(), size_t{0},
                           [](size_t sum, const GgufTensor& t) { return sum + t.data.size(); }));
    int refused = 0;
    for (int i = 0; i < 2000; ++i) {
      // Half of the flips in the first 200 bytes, where the counts and lengths are.
      const auto at = static_cast<size_t>(rng.Below(i % 2 == 0 ? 200 : header));
      const uint8_t old = bytes[at];
      bytes[at] = i % 3 == 0 ? 0xff : static_cast<uint8_t>(rng.Next());
      if (!OpensAndWalks(bytes)) ++refused;
      bytes[at] = old;
    }
    EXPECT_GT(refused, 100) << path;
  }
}

}  // namespace
}  // namespace smallmind
