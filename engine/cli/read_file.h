// Whole files as bytes, for subcommands that take text.
#pragma once

#include <cstddef>
#include <string>

namespace smallmind {

// Exactly the file's bytes; "-" reads standard input. Throws InputError; more than `most` bytes are
// one, too, and not read.
std::string ReadFileBytes(const std::string& path, size_t most = ~size_t{0});

// What can be tokenised at once: at most 1 GiB.
std::string ReadText(const std::string& path);

}  // namespace smallmind
