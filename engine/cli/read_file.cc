#include "engine/cli/read_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "engine/base/error.h"
#include "engine/base/quote.h"

namespace smallmind {

std::string ReadFileBytes(const std::string& path) {
  if (path == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  const auto fail = [&](int error) {
    throw InputError("cannot read " + Quote(path) + ": " + std::strerror(error));
  };
  std::error_code unknown;  // opening it says why
  if (std::filesystem::is_directory(path, unknown)) fail(EISDIR);
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(errno);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) fail(errno);
  return bytes;
}

}  // namespace smallmind
