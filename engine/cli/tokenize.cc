// `tokenize`: text to token ids.

#include <cstdio>
#include <memory>

#include "engine/cli/command.h"
#include "engine/cli/read_file.h"

namespace smallmind {
namespace {

struct TokenizeFlags {
  std::string model;
  std::string file;
  bool ids = false;
  bool no_bos = false;
  bool parse_special = false;
};

int RunTokenize(const TokenizeFlags& o) {
  // The file may hold a vocabulary alone: no weights are asked for.
  const GgufFile gguf = GgufFile::Open(o.model);
  const std::unique_ptr<Tokenizer> tokenizer = Tokenizer::Create(gguf);
  PrintWarning(*tokenizer);
  const std::string text = ReadText(o.file);
  const std::vector<TokenId> tokens =
      tokenizer->Encode(text, {.add_special = !o.no_bos, .parse_special = o.parse_special});
  std::string out;
  bool first = true;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (o.ids) {
      out += (i == 0 ? "" : " ") + std::to_string(tokens[i]);
    } else {
      out += std::to_string(tokens[i]) + "\t" + tokenizer->Decode(tokens[i], first, true) + "\n";
      first = tokenizer->IsSpecial(tokens[i]);
    }
  }
  if (o.ids) out += "\n";
  std::fwrite(out.data(), 1, out.size(), stdout);
  return 0;
}

}  // namespace

void AddTokenize(Program& program) {
  program.Add("tokenize", "Text to token ids", [](Command& c) {
    auto o = std::make_shared<TokenizeFlags>();
    c.Option("-m,--model", &o->model, "GGUF file; a vocabulary alone will do").Required();
    c.Option("-f,--file", &o->file, "Text, read byte for byte; - for standard input").Required();
    c.Flag("--ids", &o->ids, "Ids alone, space separated");
    c.Flag("--no-bos", &o->no_bos, "Without the model's BOS and EOS");
    c.Flag("--parse-special", &o->parse_special, "Recognise special tokens in the text");
    c.Runs([o] { return RunTokenize(*o); });
  });
}

}  // namespace smallmind
