// What each value of tokenizer.ggml.pre stands for.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace smallmind {

struct PreTokenizerRow {
  std::span<const std::string_view> names;        // values of tokenizer.ggml.pre
  std::span<const std::string_view> expressions;  // applied in order
  bool ignore_merges = false;                     // a word that is a token is taken whole
  bool add_bos = false;                           // where tokenizer.ggml.add_bos_token is absent
};

// Null for an unknown name.
const PreTokenizerRow* FindPreTokenizer(std::string_view name);
std::span<const PreTokenizerRow> PreTokenizerTable();

}  // namespace smallmind
