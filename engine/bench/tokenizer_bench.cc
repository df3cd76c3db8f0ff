// Tokenizers: encoding speed over text length, set-up, and what the first Encode builds.
//
// Vocabularies: those under ../shared/vocab where they exist, and a synthetic byte-level one of
// 150,000 tokens and 280,000 merges. Text is made here from a fixed seed: words of several scripts
// with a Zipf-like frequency, numbers, punctuation, indentation — and single runs without any place
// to cut, the worst case.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/base/rng.h"
#include "engine/base/testing.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/vocab_testing.h"

namespace smallmind {
namespace {

void AppendUtf8(uint32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 63));
  } else {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 63));
    out += static_cast<char>(0x80 | (c & 63));
  }
}

std::string MixedText(size_t bytes) {
  Rng rng(2026);
  struct Script {
    uint32_t first, count;
    bool spaces;
  };
  constexpr Script kScripts[] = {
      {'a', 26, true}, {0x430, 32, true}, {0x4e00, 3000, false}, {0x627, 36, true}};
  std::vector<std::string> words[4];
  for (size_t s = 0; s < 4; ++s) {
    for (int i = 0; i < 20000; ++i) {
      std::string word;
      for (uint64_t n = 1 + rng.Below(s == 2 ? 3 : 9); n > 0; --n) {
        // Low letters are likelier: pairs repeat, as they do in language.
        const auto letter = static_cast<uint32_t>(rng.Below(1 + rng.Below(kScripts[s].count)));
        AppendUtf8(kScripts[s].first + letter, word);
      }
      words[s].push_back(word);
    }
  }
  std::string out;
  while (out.size() < bytes) {
    const size_t s = rng.Below(10) < 7 ? 0 : 1 + rng.Below(3);
    for (uint64_t n = 5 + rng.Below(15); n > 0; --n) {
      out += words[s][rng.Below(1 + rng.Below(1 + rng.Below(words[s].size())))];
      if (kScripts[s].spaces) out += ' ';
    }
    constexpr const char* kEnds[] = {". ", ",\n",      ";\n    ", " = 3.14;\n\n",
                                     "! ", " (2026) ", "\n\t\t"};
    out += kEnds[rng.Below(7)];
  }
  out.resize(bytes);
  return out;
}

// Tokens come from merging earlier ones; as in real vocabularies, many merges make a token already
// there.
std::vector<uint8_t> SyntheticVocab() {
  Rng rng(1);
  VocabSpec spec = BpeSpec({});
  std::unordered_set<std::string> known(spec.tokens->begin(), spec.tokens->end());
  std::unordered_set<std::string> pairs;
  const auto pick = [&] { return (*spec.tokens)[rng.Below(1 + rng.Below(spec.tokens->size()))]; };
  while (spec.tokens->size() < 150000 || spec.merges->size() < 280000) {
    const std::string left = pick(), right = pick();
    if (left.size() + right.size() > 24 || !pairs.insert(left + " " + right).second) continue;
    const bool is_new = known.count(left + right) == 0;
    if (is_new && spec.tokens->size() == 150000) {
      // Only ranks are wanted now: another way to make a known token.
      const std::string& token = (*spec.tokens)[256 + rng.Below(149744)];
      size_t cut = 1;
      while (cut < token.size() && (token[cut] & 0xc0) == 0x80) ++cut;
      if (cut < token.size())
        spec.merges->push_back(token.substr(0, cut) + " " + token.substr(cut));
      continue;
    }
    spec.merges->push_back(left + " " + right);
    if (is_new) {
      known.insert(left + right);
      spec.tokens->push_back(left + right);
      spec.types->push_back(1);
    }
  }
  return spec.Bytes();
}

const GgufFile* File(const std::string& name) {
  static std::vector<std::pair<std::string, std::unique_ptr<GgufFile>>> files;
  for (const auto& [known, file] : files) {
    if (known == name) return file.get();
  }
  std::unique_ptr<GgufFile> file;
  if (name == "synthetic-150k") {
    file = std::make_unique<GgufFile>(OpenGgufBytes(SyntheticVocab()));
  } else if (const auto path = SharedDir() / "vocab" / (name + ".gguf");
             std::filesystem::exists(path)) {
    file = std::make_unique<GgufFile>(GgufFile::Open(path));
  }
  files.emplace_back(name, std::move(file));
  return files.back().second.get();
}

void Encode(benchmark::State& state, const std::string& vocab, const std::string& text) {
  const GgufFile* file = File(vocab);
  if (file == nullptr) return state.SkipWithError("no ../shared/vocab");
  const auto tokenizer = Tokenizer::Create(*file);
  size_t tokens = tokenizer->Encode(text, {}).size();
  for (auto _ : state) tokens = tokenizer->Encode(text, {}).size();
  state.SetBytesProcessed(static_cast<int64_t>(text.size() * state.iterations()));
  state.counters["tokens"] = static_cast<double>(tokens);
}

void Create(benchmark::State& state, const std::string& vocab, bool encode) {
  const GgufFile* file = File(vocab);
  if (file == nullptr) return state.SkipWithError("no ../shared/vocab");
  for (auto _ : state) {
    const auto tokenizer = Tokenizer::Create(*file);
    if (encode) benchmark::DoNotOptimize(tokenizer->Encode("The first words of a prompt.", {}));
  }
}

void Decode(benchmark::State& state, const std::string& vocab) {
  const GgufFile* file = File(vocab);
  if (file == nullptr) return state.SkipWithError("no ../shared/vocab");
  const auto tokenizer = Tokenizer::Create(*file);
  const std::string text = MixedText(1 << 16);
  const std::vector<TokenId> ids = tokenizer->Encode(text, {});
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer->DecodeAll(ids));
  state.SetBytesProcessed(static_cast<int64_t>(text.size() * state.iterations()));
}

void Register() {
  for (const std::string vocab :
       {"llama-spm", "gpt-2", "deepseek-llm", "starcoder", "synthetic-150k"}) {
    const auto add = [&](const std::string& name, auto run) {
      benchmark::RegisterBenchmark((name + "/" + vocab).c_str(), run)
          ->Unit(benchmark::kMillisecond);
    };
    add("Create", [vocab](benchmark::State& s) { Create(s, vocab, false); });
    add("CreateAndFirstEncode", [vocab](benchmark::State& s) { Create(s, vocab, true); });
    add("Decode64KiB", [vocab](benchmark::State& s) { Decode(s, vocab); });
    for (const size_t kib : {64, 256, 1024}) {
      add("Mixed" + std::to_string(kib) + "KiB",
          [vocab, kib](benchmark::State& s) { Encode(s, vocab, MixedText(kib * 1024)); });
    }
    add("OneWord1MiB",
        [vocab](benchmark::State& s) { Encode(s, vocab, std::string(1 << 20, 'a')); });
    add("Spaces1MiB",
        [vocab](benchmark::State& s) { Encode(s, vocab, std::string(1 << 20, ' ')); });
  }
}

}  // namespace
}  // namespace smallmind

int main(int argc, char** argv) {
  smallmind::Register();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
