// The seed guide's table with the measured value beside each promise, and its claims with their
// verdicts.
#include <cmath>

#include "harness/report/sections.h"
#include "harness/report/text.h"

namespace smallmind::harness {
namespace {

std::string WithUnit(const Analysis& a, const std::string& variant, const Regime& regime,
                     const char* metric, const char* unit) {
  const MetricSummary* s = a.Summary(variant, regime, metric);
  return s == nullptr ? "-"
                      : Figure(s->median) + " " + unit + " " +
                            IntervalText(s->interval.low, s->interval.high);
}

std::string Expected(const std::string& words, const std::string& measured) {
  return words.empty() ? measured : "said " + words + "; is " + measured;
}

Tone ToneOf(ClaimVerdict verdict) {
  if (verdict == ClaimVerdict::kConfirmed) return Tone::kGood;
  return verdict == ClaimVerdict::kRefuted ? Tone::kBad : Tone::kDim;
}

}  // namespace

DocSection GuideSection(const RunInfo& run, const Analysis& a) {
  DocSection section{"guide", "The guide's table, measured", {}};
  section.blocks.push_back(
      DocParagraph{"The guide compares .NET JIT with NativeAOT builds and measured nothing. Each "
                   "of its rows is played by the "
                   "variant beside it: its unoptimised Tier 0 by `tier0`, its optimised JIT by the "
                   "reference, its "
                   "machine-specific ahead-of-time builds by `native` and `native-pgo`."});
  for (const Regime& regime : a.regimes) {
    DocTable table;
    table.caption = regime.model;
    table.columns = {{"build mode"},
                     {"variant"},
                     {"startup"},
                     {"decode throughput"},
                     {"prefill throughput"},
                     {"size (stripped)"},
                     {"first token (cold)"},
                     {"peak RSS"}};
    for (const GuideRow& row : a.guide) {
      if (row.variant.empty()) {
        table.rows.push_back({row.mode, "not built", "-", "-", "-", "-", "-", "-"});
        continue;
      }
      int64_t bytes = 0;
      for (const VariantInfo& v : run.variants) {
        if (v.name == row.variant) bytes = v.size.stripped_bytes;
      }
      const auto ratio = [&](const char* metric) -> std::string {
        if (row.variant == a.reference) return "1 (reference)";
        const Comparison* c = a.Against(row.variant, regime, metric);
        return c == nullptr ? "-" : RatioText(c->ratio()) + "×";
      };
      table.rows.push_back(
          {row.mode, row.variant,
           Expected(row.startup, WithUnit(a, row.variant, regime, "startup_ms", "ms")),
           Expected(row.throughput, ratio("decode_tps")),
           Expected(row.throughput, ratio("prefill_tps")),
           Expected(row.size, MegabyteText(bytes) + " MB"),
           Expected(row.ttft, WithUnit(a, row.variant, regime, "ttft_cold_ms", "ms")),
           WithUnit(a, row.variant, regime, "peak_rss_mib", "MiB")});
    }
    section.blocks.push_back(table);
  }
  return section;
}

DocSection ClaimsSection(const Analysis& a) {
  DocSection section{"claims", "The guide's claims, judged", {}};
  section.blocks.push_back(DocParagraph{
      "Confirmed: the whole 95 % interval lies inside the claimed range. Refuted: it lies wholly "
      "outside. "
      "Inconclusive: it reaches across an edge, or there is nothing to judge by. \"~50\" is read "
      "as within a factor "
      "of two, \"instant\" as at most 10 ms; these readings were fixed before any measurement."});
  DocTable table;
  table.columns = {{"claim"},   {"judged"},         {"model"},   {"metric"},
                   {"claimed"}, {"measured", true}, {"verdict"}, {"why"}};
  for (const Claim& c : a.claims) {
    std::string measured = "-";
    if (std::isfinite(c.measured.estimate)) {
      measured = Figure(c.measured.estimate);
      if (c.measured.low != c.measured.high)
        measured += " " + IntervalText(c.measured.low, c.measured.high);
      measured += " " + c.unit;
    }
    table.rows.push_back({c.statement,
                          c.baseline.empty() ? c.variant : c.variant + " against " + c.baseline,
                          c.regime.model.empty() ? "-" : c.regime.model, c.metric, c.expected,
                          DocCell::Number(c.measured.estimate, measured),
                          DocCell(ToString(c.verdict), ToneOf(c.verdict)), c.reason});
  }
  section.blocks.push_back(table);
  return section;
}

}  // namespace smallmind::harness
