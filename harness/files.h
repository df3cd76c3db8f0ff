// Whole files, read and written.
#pragma once

#include <filesystem>
#include <string>

namespace smallmind::harness {

// All bytes; empty where it cannot be read.
std::string ReadFile(const std::filesystem::path& path);

// By way of a temporary file beside it, which is renamed: a reader, or a full disk, never sees half
// a file. RunError where it cannot.
void WriteFileAtomically(const std::filesystem::path& path, const std::string& text);

// All of it to an open file; returns "" or the system's reason.
std::string WriteAll(int fd, const std::string& text);

}  // namespace smallmind::harness
