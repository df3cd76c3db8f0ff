// A report as plain data, between what is said (sections) and how it is shown (Markdown, HTML).
//
// Text is plain; `code` between backticks is the only markup. Renderers escape everything else.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace smallmind::harness {

enum class Tone { kPlain, kGood, kBad, kFlag, kDim };

struct DocCell {
  std::string text;
  Tone tone = Tone::kPlain;
  std::string hint;       // tooltip: sample ids, p-values; HTML only
  double sort_key = 0.0;  // used where has_key
  bool has_key = false;

  DocCell() = default;
  DocCell(std::string t, Tone tn = Tone::kPlain,
          std::string h = "")  // NOLINT: a cell is mostly text
      : text(std::move(t)), tone(tn), hint(std::move(h)) {}
  DocCell(const char* t) : text(t) {}  // NOLINT
  static DocCell Number(double key, std::string t, Tone tone = Tone::kPlain,
                        std::string hint = "") {
    DocCell cell(std::move(t), tone, std::move(hint));
    cell.sort_key = key;
    cell.has_key = true;
    return cell;
  }
};

struct DocColumn {
  std::string title;
  bool numeric = false;  // right-aligned, sorted as numbers
};

struct DocTable {
  std::string caption;
  std::vector<DocColumn> columns;
  std::vector<std::vector<DocCell>> rows;
  bool folded = false;  // evidence rather than result: the page shows it on a tap
};

struct DocParagraph {
  std::string text;
  Tone tone = Tone::kPlain;
};

struct DocList {
  std::vector<std::string> items;
};

// A picture of plots/: `name`.svg, and `name`.phone.svg for narrow screens (inlined by the HTML
// renderer where they exist).
struct DocFigure {
  std::string name;
  std::string caption;
};

// One of the four; only the member that `kind` names is filled.
struct DocBlock {
  enum class Kind { kParagraph, kTable, kList, kFigure };
  Kind kind;
  DocParagraph paragraph;
  DocTable table;
  DocList list;
  DocFigure figure;

  DocBlock(DocParagraph p) : kind(Kind::kParagraph), paragraph(std::move(p)) {}  // NOLINT
  DocBlock(DocTable t) : kind(Kind::kTable), table(std::move(t)) {}              // NOLINT
  DocBlock(DocList l) : kind(Kind::kList), list(std::move(l)) {}                 // NOLINT
  DocBlock(DocFigure f) : kind(Kind::kFigure), figure(std::move(f)) {}           // NOLINT
};

template <typename Writer>
void Visit(Writer& writer, const DocBlock& block) {
  switch (block.kind) {
    case DocBlock::Kind::kParagraph:
      return writer(block.paragraph);
    case DocBlock::Kind::kTable:
      return writer(block.table);
    case DocBlock::Kind::kList:
      return writer(block.list);
    case DocBlock::Kind::kFigure:
      return writer(block.figure);
  }
}

struct DocSection {
  std::string id;  // anchor
  std::string title;
  std::vector<DocBlock> blocks;
  std::string short_title = "";  // for the list of sections; empty: the title
};

struct Document {
  std::string title;
  std::string subtitle;
  std::vector<DocSection> sections;
};

std::string RenderMarkdown(const Document& document);

}  // namespace smallmind::harness
