// Small vocabularies written by hand, for tests, benches and fuzz targets: every field can be left
// out or wrong.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/gguf/gguf.h"
#include "engine/gguf/raw_gguf.h"
#include "engine/tokenizer/text_hash.h"

namespace smallmind {

// A GGUF opened from bytes, through a temporary file (in memory where there is /proc) that is gone
// again when this returns.
inline GgufFile OpenGgufBytes(const std::vector<uint8_t>& bytes) {
  std::string path = (std::filesystem::temp_directory_path() / "smallmind-XXXXXX").string();
#ifdef __linux__
  const int fd = memfd_create("smallmind", 0);
  if (fd >= 0) path = "/proc/self/fd/" + std::to_string(fd);
  const bool named = fd < 0;
#else
  const int fd = mkstemp(path.data());
  const bool named = true;
#endif
  const auto close_file = [&] {
    if (fd >= 0) close(fd);
    if (named) std::filesystem::remove(path);
  };
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  try {
    GgufFile file = GgufFile::Open(path);
    close_file();
    return file;
  } catch (...) {
    close_file();
    throw;
  }
}

struct VocabSpec {
  std::optional<std::string> model = "gpt2";
  std::optional<std::string> pre;
  std::optional<std::vector<std::string>> tokens = std::vector<std::string>();
  std::optional<std::vector<int32_t>> types;
  std::optional<std::vector<float>> scores;
  std::optional<std::vector<std::string>> merges;
  std::vector<std::pair<std::string, uint32_t>> ids;  // "bos_token_id" and so on
  std::vector<std::pair<std::string, bool>> flags;    // "add_bos_token" and so on

  void Add(std::string text, int32_t type = 1, float score = 0) {
    tokens->push_back(std::move(text));
    if (!types) types.emplace();
    types->push_back(type);
    if (!scores) scores.emplace();
    scores->push_back(score);
  }

  std::vector<uint8_t> Bytes() const {
    const std::string prefix = "tokenizer.ggml.";
    const uint64_t values = 1 + model.has_value() + pre.has_value() + tokens.has_value() +
                            types.has_value() + scores.has_value() + merges.has_value() +
                            ids.size() + flags.size();
    RawGguf out(3, 0, values);
    out.Key("general.architecture", GgufType::kString).String("llama");
    if (model) out.Key(prefix + "model", GgufType::kString).String(*model);
    if (pre) out.Key(prefix + "pre", GgufType::kString).String(*pre);
    if (tokens) Strings(out, prefix + "tokens", *tokens);
    if (types) {
      out.ArrayKey(prefix + "token_type", GgufType::kI32, types->size());
      for (const int32_t type : *types) out.Put(type);
    }
    if (scores) {
      out.ArrayKey(prefix + "scores", GgufType::kF32, scores->size());
      for (const float score : *scores) out.F32(score);
    }
    if (merges) Strings(out, prefix + "merges", *merges);
    for (const auto& [key, id] : ids) out.Key(prefix + key, GgufType::kU32).U32(id);
    for (const auto& [key, flag] : flags) out.Key(prefix + key, GgufType::kBool).U8(flag);
    out.Pad(32);
    return out.bytes();
  }

 private:
  static void Strings(RawGguf& out, const std::string& key, const std::vector<std::string>& texts) {
    out.ArrayKey(key, GgufType::kString, texts.size());
    for (const std::string& text : texts) out.String(text);
  }
};

// 16 bytes each, none a space, all of one HashText: its steps are undone for the second word.
inline std::vector<std::string> CollidingTexts(size_t count) {
  std::vector<std::string> texts;
  for (uint64_t first = 0x6161616161616161; texts.size() < count; ++first) {
    const uint64_t second = MixHash(16 * 0xd6e8feb86659fd93u ^ first);
    std::string text(16, '\0');
    std::memcpy(text.data(), &first, 8);
    std::memcpy(text.data() + 8, &second, 8);
    if (text.find(' ') == std::string::npos) texts.push_back(text);
  }
  return texts;
}

// SentencePiece-style: three control tokens, the 256 bytes, then `pieces` with falling scores.
inline VocabSpec SpmSpec(const std::vector<std::string>& pieces) {
  VocabSpec spec;
  spec.model = "llama";
  spec.Add("<unk>", 2);
  spec.Add("<s>", 3);
  spec.Add("</s>", 3);
  constexpr char kHex[] = "0123456789ABCDEF";
  for (int b = 0; b < 256; ++b) {
    spec.Add(std::string("<0x") + kHex[b >> 4] + kHex[b & 15] + ">", 6);
  }
  float score = -1;
  for (const std::string& piece : pieces) spec.Add(piece, 1, score--);
  return spec;
}

// Byte-level: the 256 bytes' characters, then what `merges` ("a b") make, in that order.
inline VocabSpec BpeSpec(const std::vector<std::string>& merges) {
  VocabSpec spec;
  spec.model = "gpt2";
  spec.pre = "gpt-2";
  for (int b = 0, next = 0x100; b < 256; ++b) {
    const bool printable = (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
    const int c = printable ? b : next++;
    spec.Add(c < 0x80 ? std::string(1, static_cast<char>(c))
                      : std::string{static_cast<char>(0xc0 | c >> 6),
                                    static_cast<char>(0x80 | (c & 63))});
  }
  spec.merges = merges;
  for (std::string made : merges) {
    made.erase(made.find(' ', 1), 1);
    spec.Add(made);
  }
  spec.scores.reset();
  return spec;
}

}  // namespace smallmind
