// Sizes of an ELF64 little-endian executable, read from its bytes alone: no binutils needed.
//
// BadInput where the file is unreadable, not ELF64 LE, or its headers point outside of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/record.h"

namespace smallmind::harness {

// File, stripped and executable bytes, every allocated section, and a hash of the executable code.
// `stripped_bytes` is what `strip` leaves: allocated sections, program headers, the names and
// headers of what stays; within alignment of the real tool's result.
BinarySize SectionSizes(const std::string& path);

struct SymbolSize {
  std::string name;     // mangled, suffixes such as .cold kept
  std::string section;  // ".text"
  int64_t bytes = 0;
  bool function = false;  // else data
};

// Sized symbols of .symtab (empty for a stripped file).
std::vector<SymbolSize> SymbolSizes(const std::string& path);

}  // namespace smallmind::harness
