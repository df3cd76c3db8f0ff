// One table a regime, the guide's verdict counts and the warnings. Where the columns exceed the
// width, the least important ones go first; names are cut last. Tested for width, alignment and
// wide characters.
#include "harness/report/terminal.h"

#include <algorithm>
#include <cmath>

#include "harness/report/sections.h"
#include "harness/report/text.h"

namespace smallmind::harness {
namespace {

constexpr const char* kGreen = "\033[32m";
constexpr const char* kRed = "\033[31m";
constexpr const char* kYellow = "\033[33m";
constexpr const char* kDim = "\033[2m";
constexpr const char* kOff = "\033[0m";

struct TextCell {
  std::string text;
  const char* colour = nullptr;
};

struct Column {
  std::string title, unit;
  bool left = false;
  int importance = 0;  // the lowest goes first
  std::vector<TextCell> cells;

  size_t Width() const {
    size_t width = std::max(DisplayWidth(title), DisplayWidth(unit));
    for (const TextCell& cell : cells) width = std::max(width, DisplayWidth(cell.text));
    return width;
  }
};

const char* Colour(Verdict verdict) {
  if (verdict == Verdict::kBetter) return kGreen;
  if (verdict == Verdict::kWorse) return kRed;
  return nullptr;
}

TextCell MedianCell(const Analysis& a, const std::string& variant, const Regime& regime,
                    const char* metric) {
  const MetricSummary* s = a.Summary(variant, regime, metric);
  return {s == nullptr ? "-" : Figure(s->median), nullptr};
}

TextCell RatioCell(const Analysis& a, const std::string& variant, const Regime& regime,
                   const char* metric) {
  if (variant == a.reference) return {"1", kDim};
  if (!a.Unranked(variant).empty()) return {"not ranked", kYellow};
  const Comparison* c = a.Against(variant, regime, metric);
  if (c == nullptr) return {"-", nullptr};
  return {RatioText(c->ratio()) + " " + MarkOf(c->verdict), Colour(c->verdict)};
}

std::vector<Column> Columns(const RunInfo& run, const Analysis& a, const Regime& regime) {
  std::vector<Column> columns = {{"variant", "", true, 100, {}},
                                 {"startup", "ms", false, 4, {}},
                                 {"cold TTFT", "ms", false, 5, {}},
                                 {"TTFT", "ms", false, 3, {}},
                                 {"prefill", "tok/s", false, 7, {}},
                                 {"× reference", "[95 %]", false, 8, {}},
                                 {"decode", "tok/s", false, 9, {}},
                                 {"× reference", "[95 %]", false, 10, {}},
                                 {"RSS", "MiB", false, 2, {}},
                                 {"size", "MB", false, 6, {}},
                                 {"n", "", false, 1, {}}};
  for (const std::string& variant : a.variants) {
    const bool flagged = !a.Unranked(variant).empty();
    const TextCell cells[] = {{flagged ? variant + " !" : variant, flagged ? kYellow : nullptr},
                              MedianCell(a, variant, regime, "startup_ms"),
                              MedianCell(a, variant, regime, "ttft_cold_ms"),
                              MedianCell(a, variant, regime, "ttft_ms"),
                              MedianCell(a, variant, regime, "prefill_tps"),
                              RatioCell(a, variant, regime, "prefill_tps"),
                              MedianCell(a, variant, regime, "decode_tps"),
                              RatioCell(a, variant, regime, "decode_tps"),
                              MedianCell(a, variant, regime, "peak_rss_mib"),
                              {MegabyteText(StrippedBytes(run, variant)), nullptr},
                              {std::to_string(a.Rounds(variant, regime)), kDim}};
    for (size_t i = 0; i < columns.size(); ++i) columns[i].cells.push_back(cells[i]);
  }
  return columns;
}

void Fit(std::vector<Column>& columns, size_t width) {
  const auto total = [&] {
    size_t sum = 2 * (columns.size() - 1);
    for (const Column& c : columns) sum += c.Width();
    return sum;
  };
  while (columns.size() > 2 && total() > width) {
    columns.erase(std::min_element(
        columns.begin(), columns.end(),
        [](const Column& x, const Column& y) { return x.importance < y.importance; }));
  }
}

std::string Rule(size_t width) {
  std::string line;
  for (size_t i = 0; i < width; ++i) line += "─";
  return line + "\n";
}

std::string RenderColumns(const std::vector<Column>& columns, const TerminalStyle& style) {
  std::vector<size_t> widths;
  size_t total = 2 * (columns.size() - 1);
  for (const Column& c : columns) {
    widths.push_back(c.Width());
    total += c.Width();
  }
  if (total > style.width && widths[0] > total - style.width + 4) {
    widths[0] -= total - style.width;
    total = style.width;
  }
  std::string out;
  const auto line = [&](auto&& text_of) {
    std::string row;
    for (size_t i = 0; i < columns.size(); ++i) {
      const TextCell cell = text_of(columns[i]);
      const std::string padded =
          columns[i].left ? PadRight(cell.text, widths[i]) : PadLeft(cell.text, widths[i]);
      row += (i > 0 ? "  " : "") +
             (style.colour && cell.colour != nullptr ? cell.colour + padded + kOff : padded);
    }
    while (!row.empty() && row.back() == ' ') row.pop_back();
    out += row + "\n";
  };
  line([](const Column& c) { return TextCell{c.title, nullptr}; });
  line([](const Column& c) { return TextCell{c.unit, kDim}; });
  out += Rule(total);
  for (size_t r = 0; r < columns[0].cells.size(); ++r) {
    line([r](const Column& c) { return c.cells[r]; });
  }
  return out;
}

// Breaks at spaces; continuation lines are indented by two.
std::string Wrap(const std::string& text, size_t width) {
  std::string out, line;
  size_t start = 0;
  while (start <= text.size()) {
    const size_t end = std::min(text.find(' ', start), text.size());
    const std::string word = text.substr(start, end - start);
    if (!line.empty() && DisplayWidth(line) + 1 + DisplayWidth(word) > width) {
      out += line + "\n";
      line = "  " + word;
    } else {
      line += (line.empty() ? "" : " ") + word;
    }
    start = end + 1;
  }
  return out + line + "\n";
}

}  // namespace

std::string RenderTerminal(const RunInfo& run, const Analysis& a, const TerminalStyle& style) {
  std::string out;
  for (const Regime& regime : a.regimes) {
    out += Truncate(regime.model + ", " + regime.workload + ": " +
                        std::to_string(a.Rounds(a.reference, regime)) + " rounds, reference " +
                        a.reference,
                    style.width) +
           "\n\n";
    std::vector<Column> columns = Columns(run, a, regime);
    Fit(columns, style.width);
    out += RenderColumns(columns, style) + "\n";
  }
  out += Wrap(
      "Medians; ratios are centres of ratios taken inside a round with their 95 % interval. "
      "▲ better, ▼ worse (Holm-adjusted over a table, α = 0.05), = equal within 1 %, "
      "? cannot tell, ! output differs from the reference. n: rounds that decode's ratio rests on.",
      style.width);
  for (const VariantInfo& v : run.variants) {
    if (v.status == "skipped") out += Wrap("skipped " + v.name + ": " + v.reason, style.width);
  }
  if (!a.claims.empty()) out += Wrap(TallyText(a) + " (see report.md).", style.width);
  for (const std::string& warning : a.warnings) {
    const std::string text = Wrap("warning: " + warning, style.width);
    out += style.colour ? kYellow + text + kOff : text;
  }
  return out;
}

}  // namespace smallmind::harness
