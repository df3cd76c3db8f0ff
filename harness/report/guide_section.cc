// The seed guide's table with the measured value beside each promise, and its claims with their
// verdicts.
#include <algorithm>
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

std::string Measured(const Claim& c) {
  if (!std::isfinite(c.measured.estimate)) return "-";
  std::string text = Figure(c.measured.estimate);
  if (c.measured.low != c.measured.high)
    text += " " + IntervalText(c.measured.low, c.measured.high);
  return text + " " + c.unit;
}

Tone ToneOf(ClaimVerdict verdict) {
  if (verdict == ClaimVerdict::kConfirmed) return Tone::kGood;
  return verdict == ClaimVerdict::kRefuted ? Tone::kBad : Tone::kDim;
}

}  // namespace

std::string TallyText(const Analysis& a) {
  const ClaimTally tally = TallyClaims(a.claims);
  return "The guide's " + std::to_string(tally.claims) +
         " claims: " + std::to_string(tally.confirmed) + " confirmed and " +
         std::to_string(tally.refuted) + " refuted on every model, " +
         std::to_string(tally.inconclusive) + " inconclusive or different between models";
}

DocSection GuideSection(const RunInfo& run, const Analysis& a) {
  DocSection section{"guide", "The guide's table, measured", {}, "Guide"};
  section.blocks.push_back(
      DocParagraph{"The guide compares .NET JIT with NativeAOT builds and measured nothing. Each "
                   "of its rows is played by the "
                   "variant beside it: its unoptimised Tier 0 by `tier0`, its optimised JIT by the "
                   "reference, its "
                   "machine-specific ahead-of-time builds by `native` and `native-pgo`."});
  for (const Regime& regime : a.regimes) {
    DocTable table;
    table.caption = RegimeTitle(a, regime);
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
           Expected(row.size, MegabyteText(StrippedBytes(run, row.variant)) + " MB"),
           Expected(row.ttft, WithUnit(a, row.variant, regime, "ttft_cold_ms", "ms")),
           WithUnit(a, row.variant, regime, "peak_rss_mib", "MiB")});
    }
    section.blocks.push_back(table);
  }
  return section;
}

DocSection ClaimsSection(const Analysis& a) {
  DocSection section{"claims", "The guide's claims, judged", {}, "Claims"};
  section.blocks.push_back(DocParagraph{
      "Confirmed: the whole 95 % interval lies inside the claimed range. Refuted: it lies wholly "
      "outside. "
      "Inconclusive: it reaches across an edge, or there is nothing to judge by. \"~50\" is read "
      "as within a factor "
      "of two, \"instant\" as at most 10 ms; these readings were fixed before any measurement."});
  // A row a claim, a pair of columns a model; figures of the binary are the same for every model.
  DocTable table;
  table.columns = {{"claim"}, {"judged"}, {"metric"}, {"claimed"}};
  for (const Regime& regime : a.regimes) {
    table.columns.push_back({RegimeTitle(a, regime), true});
    table.columns.push_back({"verdict"});
  }
  std::vector<std::string> notes;
  for (size_t i = 0; i < a.claims.size(); ++i) {
    const Claim& first = a.claims[i];
    bool again = false;
    for (size_t j = 0; j < i; ++j) again |= a.claims[j].id == first.id;
    if (again) continue;
    std::vector<DocCell> row = {first.statement, first.judged, first.metric, first.expected};
    for (const Regime& regime : a.regimes) {
      const Claim* claim = nullptr;
      for (const Claim& c : a.claims) {
        if (c.id == first.id && (c.regime.model.empty() || c.regime == regime)) claim = &c;
      }
      if (claim == nullptr) {
        row.insert(row.end(), {"-", "-"});
        continue;
      }
      const std::string reason =
          claim->judged +
          (claim->regime.model.empty() ? "" : " on " + RegimeTitle(a, claim->regime)) + ", " +
          claim->statement + ": " + claim->reason;
      row.push_back(DocCell::Number(claim->measured.estimate, Measured(*claim)));
      row.push_back(DocCell(ToString(claim->verdict), ToneOf(claim->verdict), reason));
      if (claim->beyond_interval && std::ranges::find(notes, reason) == notes.end())
        notes.push_back(reason);
    }
    table.rows.push_back(std::move(row));
  }
  section.blocks.push_back(std::move(table));
  if (!notes.empty()) section.blocks.push_back(DocList{notes});
  return section;
}

}  // namespace smallmind::harness
