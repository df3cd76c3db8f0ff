#include "engine/cli/read_file.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/base/testing.h"

namespace smallmind {
namespace {

std::string ReadRefusal(const std::string& path, size_t most) {
  try {
    ReadFileBytes(path, most);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(ReadFile, StopsPastTheMostAllowed) {
  const std::string path = TestTempDir() / "bytes";
  const std::string bytes(200000, 'x');
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_EQ(ReadFileBytes(path), bytes);
  EXPECT_EQ(ReadFileBytes(path, bytes.size()), bytes);
  EXPECT_EQ(ReadRefusal(path, bytes.size() - 1),
            "cannot read '" + path + "': more than 199999 bytes, which are the most allowed");
  EXPECT_NE(ReadRefusal("/dev/zero", 1 << 20), "");
}

}  // namespace
}  // namespace smallmind
