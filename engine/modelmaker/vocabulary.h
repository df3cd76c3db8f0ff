// Synthetic vocabularies of a given size that tokenise any text and that every GGUF engine accepts.
//
// Base symbols cover every byte; merges are learnt from common English words (words.h), so that
// ordinary text becomes about 1.5 tokens a word; the rest, up to the real model's size, are
// well-formed merges of two earlier tokens that ordinary text seldom contains. Same bytes on every
// platform.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/modelmaker/preset.h"

namespace smallmind {

class GgufWriter;

struct Vocabulary {
  std::string model;  // tokenizer.ggml.model: "llama" or "gpt2"
  std::string pre;    // tokenizer.ggml.pre
  std::vector<std::string> tokens;
  std::vector<float> scores;        // SentencePiece only
  std::vector<int32_t> types;       // 1 normal, 2 unknown, 3 control, 5 unused, 6 byte
  std::vector<std::string> merges;  // byte-level BPE only: "left right"
  uint32_t bos = 0, eos = 0;
  bool add_bos = false;
};

// `size` tokens exactly; at least 700 (InternalError below).
Vocabulary MakeVocabulary(VocabularyKind kind, uint32_t size);
// tokenizer.ggml.* metadata.
void AddVocabulary(const Vocabulary& vocabulary, GgufWriter* out);

}  // namespace smallmind
