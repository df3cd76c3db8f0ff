// Whole files as bytes, for subcommands that take text.
#pragma once

#include <string>

namespace smallmind {

// Exactly the file's bytes; "-" reads standard input. Throws InputError.
std::string ReadFileBytes(const std::string& path);

}  // namespace smallmind
