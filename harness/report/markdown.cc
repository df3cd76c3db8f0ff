// GitHub-flavoured Markdown; pipes and angle brackets in texts are escaped. Tested in
// report_test.cc.
#include <algorithm>
#include <cctype>

#include "harness/report/document.h"
#include "harness/report/text.h"

namespace smallmind::harness {
namespace {

bool WordByte(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

std::string Escape(const std::string& text, bool in_table) {
  std::string out;
  bool code = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '`') code = !code;
    // An underscore between letters is no emphasis: q8_0 stays q8_0.
    const bool inside_word =
        i > 0 && i + 1 < text.size() && WordByte(text[i - 1]) && WordByte(text[i + 1]);
    if (c == '|' && in_table) {
      out += "\\|";
    } else if (c == '<' && !code) {
      out += "&lt;";
    } else if ((c == '*' || (c == '_' && !inside_word)) && !code) {
      (out += '\\') += c;
    } else {
      out += c == '\n' ? ' ' : c;
    }
  }
  return out;
}

std::string Marked(const DocCell& cell) {
  const std::string text = Escape(cell.text, true);
  return cell.tone == Tone::kGood || cell.tone == Tone::kFlag
             ? (text.empty() ? "" : "**" + text + "**")
             : text;
}

struct MarkdownWriter {
  std::string out;

  void operator()(const DocParagraph& p) { out += Escape(p.text, false) + "\n\n"; }
  void operator()(const DocList& list) {
    for (const std::string& item : list.items) out += "- " + Escape(item, false) + "\n";
    out += "\n";
  }
  void operator()(const DocFigure& figure) {
    out += "![" + Escape(figure.caption, false) + "](plots/" + figure.name + ".png)\n\n";
  }
  void operator()(const DocTable& table) {
    if (table.rows.empty()) return;
    if (!table.caption.empty()) out += Escape(table.caption, false) + "\n\n";
    std::vector<size_t> widths;
    for (size_t c = 0; c < table.columns.size(); ++c) {
      size_t width = std::max<size_t>(3, DisplayWidth(Escape(table.columns[c].title, true)));
      for (const auto& row : table.rows) {
        if (c < row.size()) width = std::max(width, DisplayWidth(Marked(row[c])));
      }
      widths.push_back(width);
    }
    const auto line = [&](auto&& cell_text) {
      out += "|";
      for (size_t c = 0; c < table.columns.size(); ++c) {
        const std::string text = cell_text(c);
        out += " " +
               (table.columns[c].numeric ? PadLeft(text, widths[c]) : PadRight(text, widths[c])) +
               " |";
      }
      out += "\n";
    };
    line([&](size_t c) { return Escape(table.columns[c].title, true); });
    line([&](size_t c) {
      return table.columns[c].numeric ? std::string(widths[c] - 1, '-') + ":"
                                      : std::string(widths[c], '-');
    });
    for (const auto& row : table.rows) {
      line([&](size_t c) { return c < row.size() ? Marked(row[c]) : std::string(); });
    }
    out += "\n";
  }
};

}  // namespace

std::string RenderMarkdown(const Document& document) {
  MarkdownWriter writer;
  writer.out = "# " + Escape(document.title, false) + "\n\n";
  if (!document.subtitle.empty()) writer.out += Escape(document.subtitle, false) + "\n\n";
  for (const DocSection& section : document.sections) {
    writer.out += "## " + Escape(section.title, false) + "\n\n";
    for (const DocBlock& block : section.blocks) Visit(writer, block);
  }
  return writer.out;
}

}  // namespace smallmind::harness
