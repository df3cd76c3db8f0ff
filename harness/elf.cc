// ELF-64 object file format: System V ABI, chapters 4 and 5. Offsets are checked against the file
// before they are followed. Tested against this process's own binary and `strip` in elf_test.cc.
#include "harness/elf.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "harness/error.h"

namespace smallmind::harness {
namespace {

class ElfFile {
 public:
  explicit ElfFile(const std::string& path) : path_(path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw BadInput(path + ": cannot be read");
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
    header_ = At<Elf64_Ehdr>(0);
    if (std::memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0 ||
        header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_ident[EI_DATA] != ELFDATA2LSB) {
      throw BadInput(path + ": not a 64-bit little-endian ELF file");
    }
    for (uint64_t i = 0; i < header_.e_shnum; ++i) {
      sections_.push_back(At<Elf64_Shdr>(header_.e_shoff + i * sizeof(Elf64_Shdr)));
    }
    if (header_.e_shstrndx >= sections_.size()) throw BadInput(path + ": no section names");
  }

  template <typename T>
  T At(uint64_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) {
      throw BadInput(path_ + ": ELF header points outside the file");
    }
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }

  std::string StringAt(const Elf64_Shdr& table, uint64_t index) const {
    std::string text;
    for (uint64_t at = table.sh_offset + index;; ++at) {
      const char c = At<char>(at);
      if (c == '\0') return text;
      text.push_back(c);
    }
  }

  std::string Name(const Elf64_Shdr& section) const {
    return StringAt(sections_[header_.e_shstrndx], section.sh_name);
  }
  const std::vector<Elf64_Shdr>& sections() const { return sections_; }
  const Elf64_Ehdr& header() const { return header_; }
  const std::vector<char>& bytes() const { return bytes_; }

 private:
  std::string path_;
  std::vector<char> bytes_;
  Elf64_Ehdr header_;
  std::vector<Elf64_Shdr> sections_;
};

uint64_t Fnv1a(uint64_t hash, const char* data, size_t size) {
  for (size_t i = 0; i < size; ++i) hash = (hash ^ static_cast<uint8_t>(data[i])) * 1099511628211u;
  return hash;
}

constexpr uint64_t AlignUp(uint64_t value, uint64_t alignment) {
  return alignment > 1 ? (value + alignment - 1) / alignment * alignment : value;
}

// .comment and notes survive `strip`; symbols, their strings and debug sections do not.
bool SurvivesStrip(const ElfFile& elf, const Elf64_Shdr& section) {
  if ((section.sh_flags & SHF_ALLOC) != 0) return true;
  const std::string name = elf.Name(section);
  return name == ".comment" || name == ".gnu_debuglink" || section.sh_type == SHT_NOTE;
}

int64_t StrippedBytes(const ElfFile& elf) {
  const Elf64_Ehdr& header = elf.header();
  uint64_t end = header.e_phoff + uint64_t{header.e_phnum} * header.e_phentsize;
  uint64_t names = sizeof(".shstrtab") + 1, kept = 2;  // the null section and .shstrtab
  uint64_t tail = 0;                                   // unallocated but kept, moved up
  for (const Elf64_Shdr& section : elf.sections()) {
    if (section.sh_type == SHT_NULL || !SurvivesStrip(elf, section)) continue;
    ++kept;
    names += elf.Name(section).size() + 1;
    if (section.sh_type == SHT_NOBITS) continue;
    if ((section.sh_flags & SHF_ALLOC) != 0) {
      end = std::max(end, section.sh_offset + section.sh_size);
    } else {
      tail += AlignUp(section.sh_size, section.sh_addralign);
    }
  }
  return AlignUp(end + tail + names, 8) + kept * sizeof(Elf64_Shdr);
}

}  // namespace

BinarySize SectionSizes(const std::string& path) {
  const ElfFile elf(path);
  BinarySize size;
  size.file_bytes = elf.bytes().size();
  uint64_t hash = 14695981039346656037u;
  for (const Elf64_Shdr& section : elf.sections()) {
    if ((section.sh_flags & SHF_ALLOC) == 0) continue;
    size.sections[elf.Name(section)] += section.sh_size;
    if ((section.sh_flags & SHF_EXECINSTR) == 0 || section.sh_type == SHT_NOBITS) continue;
    size.text_bytes += section.sh_size;
    if (section.sh_size > 0) elf.At<char>(section.sh_offset + section.sh_size - 1);
    hash = Fnv1a(hash, elf.bytes().data() + section.sh_offset, section.sh_size);
  }
  size.stripped_bytes = std::min(StrippedBytes(elf), size.file_bytes);
  char text[17];
  snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  size.text_hash = text;
  return size;
}

std::vector<SymbolSize> SymbolSizes(const std::string& path) {
  const ElfFile elf(path);
  const auto& sections = elf.sections();
  std::vector<SymbolSize> symbols;
  for (const Elf64_Shdr& table : sections) {
    if (table.sh_type != SHT_SYMTAB || table.sh_link >= sections.size()) continue;
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table.sh_size; at += sizeof(Elf64_Sym)) {
      const auto symbol = elf.At<Elf64_Sym>(table.sh_offset + at);
      const int type = ELF64_ST_TYPE(symbol.st_info);
      const bool function = type == STT_FUNC || type == STT_GNU_IFUNC;
      if (symbol.st_size == 0 || (!function && type != STT_OBJECT)) continue;
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= sections.size()) continue;
      symbols.push_back({elf.StringAt(sections[table.sh_link], symbol.st_name),
                         elf.Name(sections[symbol.st_shndx]), static_cast<int64_t>(symbol.st_size),
                         function});
    }
  }
  return symbols;
}

}  // namespace smallmind::harness
