#include "engine/cli/read_file.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "engine/base/error.h"

namespace smallmind {

std::string ReadFileBytes(const std::string& path) {
  if (path == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  if (std::filesystem::is_directory(path)) throw InputError(path + " is a directory");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw InputError("cannot read " + path);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) throw InputError("cannot read " + path);
  return bytes;
}

}  // namespace smallmind
