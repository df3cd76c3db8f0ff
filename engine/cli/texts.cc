// A few paragraphs of plain English, code, numbers and accents: enough to visit every branch of a
// tokenizer. texts_test.cc checks that no sentence stands in both.

#include "engine/cli/texts.h"

#include "engine/base/error.h"

namespace smallmind {

std::string_view EvaluationText() {
  return "The lighthouse keeper climbed the iron stairs before sunrise, counting each step as he "
         "had "
         "done for thirty years. Below him the harbour was still asleep; only the gulls argued "
         "over "
         "the night's catch. A ship had signalled at four o'clock, and its captain wanted to know "
         "whether the channel north of the island was open. \"It depends on the tide,\" the keeper "
         "wrote in his log, \"and on how much the captain trusts a chart from 1874.\"\n"
         "In the afternoon a clerk from the ministry arrived with a list of questions: How many "
         "lamps? "
         "How much oil per night? Could one man and a machine do the work of three? He was polite, "
         "he "
         "drank two cups of coffee, and he measured the tower with a steel tape: 31.4 metres to "
         "the "
         "gallery, 36.9 to the vane. def depth(x): return max(0, x - 12) * 0.3048\n"
         "By evening the fog had come in from the west. The bell rang every ninety seconds, and "
         "somewhere beyond the reef an engine answered, slowed, and turned away. ";
}

std::string_view TrainingText() {
  return "Bread begins with water, flour and patience. Mix them until no dry flour is left, cover "
         "the "
         "bowl and wait an hour; the dough will have changed by itself. Fold it four times, once "
         "from "
         "each side, then let it rest again. A baker in Lyon told me that most mistakes come from "
         "hurry: the oven is not hot enough, the loaf is cut while it steams, the starter is used "
         "before it is awake.\n"
         "for (int i = 0; i < n; ++i) { total += weight[i] * price[i]; } // cents, not euros\n"
         "Our town library moved 48,000 books last winter. Volunteers formed a chain across the "
         "square and handed them along, novels first, then atlases, then the heavy bound "
         "newspapers "
         "of 1920 to 1965. Children sorted the picture books by colour because nobody had told "
         "them "
         "not to. \"Très bien,\" said the librarian, and she left them that way. What do readers "
         "ask "
         "for most? Directions to the station, a pen, and the wifi password. ";
}

std::vector<TokenId> PromptTokens(const Tokenizer& tokenizer, std::string_view text, size_t n) {
  // Four bytes a token is the usual yield; take more until there are enough.
  for (size_t bytes = n * 6 + 16;; bytes *= 2) {
    std::string prompt;
    while (prompt.size() < bytes) prompt += text.substr(0, bytes - prompt.size());
    std::vector<TokenId> tokens = tokenizer.Encode(prompt, {});
    if (tokens.size() >= n) {
      tokens.resize(n);
      return tokens;
    }
    if (bytes > n * 1024 + 65536)
      throw InputError("the tokenizer gives too few tokens for a prompt");
  }
}

}  // namespace smallmind
