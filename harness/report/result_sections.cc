// What was measured: the summary, a table a regime, the outputs.
#include <algorithm>
#include <cctype>
#include <cmath>

#include "harness/report/sections.h"
#include "harness/report/text.h"

namespace smallmind::harness {

Tone ToneOf(Verdict verdict) {
  if (verdict == Verdict::kBetter) return Tone::kGood;
  if (verdict == Verdict::kWorse) return Tone::kBad;
  return verdict == Verdict::kUnclear ? Tone::kDim : Tone::kPlain;
}

const char* MarkOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kBetter:
      return "▲";
    case Verdict::kWorse:
      return "▼";
    case Verdict::kSame:
      return "=";
    case Verdict::kUnclear:
      return "?";
  }
  return "?";
}

DocCell ComparedCell(const Analysis& a, const std::string& variant, const Regime& regime,
                     const std::string& metric) {
  if (variant == a.reference) return DocCell::Number(1.0, "1", Tone::kDim);
  if (!a.Unranked(variant).empty()) return DocCell("not ranked", Tone::kFlag, a.Unranked(variant));
  const Comparison* c = a.Against(variant, regime, metric);
  if (c == nullptr) return "-";
  std::string hint = "Holm-adjusted p " + PValueText(c->p_adjusted) + ", Wilcoxon p " +
                     PValueText(c->wilcoxon_p) + ", Cliff's delta " + Figure(c->cliffs_delta) +
                     " (" + stats::CliffsDeltaWord(c->cliffs_delta) + "), detectable from " +
                     PercentText(c->mde) + " (power 0.8, Holm's first step over " +
                     std::to_string(c->family) + " rows), " + std::to_string(c->rounds) + " rounds";
  if (c->layouts > 1) hint += " of " + std::to_string(c->layouts) + " link layouts";
  if (c->within_layout_luck) hint += "; link layouts of the same code differ by as much";
  return DocCell::Number(c->ratio().Ratio(), RatioText(c->ratio()) + " " + MarkOf(c->verdict),
                         ToneOf(c->verdict), hint);
}

DocCell NameCell(const Analysis& a, const std::string& variant, const std::string& hint) {
  const bool flagged = !a.Unranked(variant).empty();
  return DocCell(variant + (flagged ? " (flagged)" : ""), flagged ? Tone::kFlag : Tone::kPlain,
                 hint);
}

namespace {

DocCell MedianCell(const Analysis& a, const std::string& variant, const Regime& regime,
                   const std::string& metric) {
  const MetricSummary* s = a.Summary(variant, regime, metric);
  if (s == nullptr) return "-";
  std::string hint = "95 % " + IntervalText(s->interval.low, s->interval.high) + ", MAD " +
                     Figure(s->mad) + ", n " + std::to_string(s->n);
  if (s->outliers.total() > 0)
    hint += ", " + std::to_string(s->outliers.total()) + " outliers kept";
  if (s->contaminated > 0) hint += ", " + std::to_string(s->contaminated) + " contaminated";
  return DocCell::Number(s->median, Figure(s->median), Tone::kPlain,
                         hint + "; " + IdsHint(s->sample_ids));
}

DocTable ResultTable(const RunInfo& run, const Analysis& a, const Regime& regime) {
  DocTable table;
  // The answer first: on a phone the first columns are all that one sees.
  table.columns = {{"variant"},
                   {"decode ×", true},
                   {"prefill ×", true},
                   {"decode tok/s", true},
                   {"prefill tok/s", true},
                   {"TTFT ms", true},
                   {"cold TTFT ms", true},
                   {"startup ms", true},
                   {"RSS MiB", true},
                   {"size MB", true},
                   {"n", true}};
  for (const std::string& variant : a.variants) {
    const VariantInfo* info = FindVariant(run, variant);
    std::vector<DocCell> row;
    row.push_back(
        NameCell(a, variant,
                 info == nullptr ? "" : info->title + "; " + info->compiler + "; " + info->flags));
    for (const char* metric : {"decode_tps", "prefill_tps"})
      row.push_back(ComparedCell(a, variant, regime, metric));
    for (const char* metric :
         {"decode_tps", "prefill_tps", "ttft_ms", "ttft_cold_ms", "startup_ms", "peak_rss_mib"}) {
      row.push_back(MedianCell(a, variant, regime, metric));
    }
    const int64_t bytes = StrippedBytes(run, variant);
    row.push_back(DocCell::Number(static_cast<double>(bytes), MegabyteText(bytes)));
    const size_t rounds = a.Rounds(variant, regime);
    row.push_back(DocCell::Number(static_cast<double>(rounds), std::to_string(rounds)));
    table.rows.push_back(std::move(row));
  }
  return table;
}

// What the first table has no room for.
DocTable DetailTable(const Analysis& a, const Regime& regime) {
  DocTable table;
  table.caption = "Gaps between tokens, and resident memory at its peak and at the end";
  table.columns = {
      {"variant"},        {"ITL p50 ms", true},    {"ITL p95 ms", true},     {"ITL p99 ms", true},
      {"peak MiB", true}, {"anonymous MiB", true}, {"file-backed MiB", true}};
  for (const std::string& variant : a.variants) {
    std::vector<DocCell> row = {variant};
    for (const char* metric : {"itl_p50_ms", "itl_p95_ms", "itl_p99_ms", "peak_rss_mib",
                               "rss_anon_mib", "rss_file_mib"}) {
      row.push_back(MedianCell(a, variant, regime, metric));
    }
    table.rows.push_back(std::move(row));
  }
  table.folded = true;
  return table;
}

// "64-token prompt, 16 generated, 4 threads"; the name itself where the run does not describe it.
std::string Describe(const RunInfo& run, const std::string& workload) {
  for (const Workload& w : run.workloads) {
    if (w.name != workload) continue;
    return std::to_string(w.prompt_tokens) + "-token prompt, " + std::to_string(w.gen_tokens) +
           " generated, " + std::to_string(w.threads) + (w.threads == 1 ? " thread" : " threads");
  }
  return workload;
}

// Both results, where leaving the contaminated samples out changes the story.
DocTable ContaminationTable(const Analysis& a, const Regime& regime) {
  DocTable table;
  table.caption =
      "Results that the contaminated samples change; the table above uses the column marked.";
  table.columns = {{"variant"}, {"metric"}, {"clean rounds", true}, {"all rounds", true}, {"used"}};
  for (const Comparison& c : a.comparisons) {
    if (c.regime != regime || !c.contamination_matters) continue;
    table.rows.push_back({c.variant, c.metric,
                          RatioText(c.clean) + " (" + std::to_string(c.clean_pairs) + ")",
                          RatioText(c.all) + " (" + std::to_string(c.pairs) + ")",
                          c.rests_on_clean ? "clean" : "all"});
  }
  return table;
}

DocTable OtherRatios(const Analysis& a, const Regime& regime) {
  DocTable table;
  table.caption = "Every metric against the reference, ratio with its 95 % interval";
  table.folded = true;
  table.columns = {{"variant"}};
  const std::pair<const char*, const char*> metrics[] = {
      {"startup_ms", "startup"},   {"ttft_cold_ms", "cold TTFT"}, {"ttft_ms", "TTFT"},
      {"itl_p50_ms", "ITL p50"},   {"itl_p99_ms", "ITL p99"},     {"peak_rss_mib", "peak RSS"},
      {"rss_anon_mib", "anon RSS"}};
  for (const auto& [metric, title] : metrics) table.columns.push_back({title, true});
  for (const std::string& variant : a.variants) {
    if (variant == a.reference) continue;
    std::vector<DocCell> row = {variant};
    for (const auto& [metric, title] : metrics)
      row.push_back(ComparedCell(a, variant, regime, metric));
    table.rows.push_back(std::move(row));
  }
  return table;
}

// Where the variant stands below the machine's ceilings, as a sentence to append.
std::string WhySentence(const Analysis& a, const std::string& variant, const Regime& regime,
                        const std::string& work) {
  for (const RooflinePoint& p : a.roofline) {
    if (p.variant != variant || p.regime != regime || p.work != work || p.sentence.empty())
      continue;
    std::string sentence = " " + p.sentence + ".";
    sentence[1] = static_cast<char>(std::toupper(static_cast<unsigned char>(sentence[1])));
    return sentence;
  }
  return "";
}

const Leader* LeaderOf(const Analysis& a, const Regime& regime, const std::string& metric) {
  for (const Leader& l : a.leaders) {
    if (l.regime == regime && l.metric == metric) return &l;
  }
  return nullptr;
}

std::string LeaderText(const Analysis& a, const Leader& leader) {
  const Comparison* c = a.Against(leader.variant, leader.regime, leader.metric);
  std::string text = "`" + leader.variant + "` is ahead of `" + a.reference + "` by most, " +
                     RatioText(c->ratio()) + " times";
  for (size_t i = 0; i < leader.beside.size(); ++i) {
    text += (i == 0 ? "; this run cannot tell it from `" : ", `") + leader.beside[i] + "`";
  }
  return text;
}

}  // namespace

std::string RegimeTitle(const Analysis& a, const Regime& regime) {
  const auto several = std::ranges::count(a.regimes, regime.model, &Regime::model);
  return several > 1 && !regime.workload.empty() ? regime.model + ", " + regime.workload
                                                 : regime.model;
}

std::string IdsHint(const std::vector<int64_t>& ids) {
  std::string text = ids.size() == 1 ? "sample" : "samples";
  for (size_t i = 0; i < ids.size() && i < 60; ++i)
    text += (i == 0 ? " " : ", ") + std::to_string(ids[i]);
  return ids.size() > 60 ? text + " …" : text;
}

DocSection SummarySection(const RunInfo& run, const Analysis& a) {
  DocSection section{"summary", "What came out", {}, "Summary"};
  DocList list;
  for (const Regime& regime : a.regimes) {
    for (const auto& [metric, what] :
         {std::pair{"decode_tps", "decode"}, std::pair{"prefill_tps", "prefill"}}) {
      size_t better = 0, same = 0, worse = 0, unclear = 0;
      for (const Comparison& c : a.comparisons) {
        if (c.regime != regime || c.metric != metric || !a.Unranked(c.variant).empty()) continue;
        (c.verdict == Verdict::kBetter  ? better
         : c.verdict == Verdict::kWorse ? worse
         : c.verdict == Verdict::kSame  ? same
                                        : unclear)++;
      }
      if (better + same + worse + unclear == 0) continue;
      const std::string counts = std::to_string(better) + " variants faster, " +
                                 std::to_string(worse) + " slower, " + std::to_string(same) +
                                 " equal within " + PercentText(a.options.equal_within) + ", " +
                                 std::to_string(unclear) + " undecided";
      const Leader* leader = LeaderOf(a, regime, metric);
      list.items.push_back(
          RegimeTitle(a, regime) + ", " + what + ": " +
          (leader == nullptr ? "no variant is measurably faster than `" + a.reference + "`"
                             : LeaderText(a, *leader)) +
          " (" + counts + ")." +
          WhySentence(a, leader == nullptr ? a.reference : leader->variant, regime, what));
    }
  }
  list.items.push_back(TallyText(a) + ".");
  section.blocks.push_back(list);
  if (run.status != RunStatus::kComplete) {
    section.blocks.push_back(DocParagraph{
        "This run ended as `" + ToString(run.status) + "`: " + run.status_reason, Tone::kFlag});
  }
  for (const std::vector<std::string>* warnings : {&run.warnings, &a.warnings}) {
    for (const std::string& warning : *warnings) {
      section.blocks.push_back(DocParagraph{"Warning: " + warning, Tone::kFlag});
    }
  }
  return section;
}

std::vector<DocSection> ResultSections(const RunInfo& run, const Analysis& a) {
  std::vector<DocSection> sections;
  for (size_t i = 0; i < a.regimes.size(); ++i) {
    const Regime& regime = a.regimes[i];
    DocSection section{"results-" + std::to_string(i),
                       regime.model + ": " + Describe(run, regime.workload),
                       {},
                       RegimeTitle(a, regime)};
    section.blocks.push_back(ResultTable(run, a, regime));
    section.blocks.push_back(DocParagraph{
        "× is the centre of ratios to `" + a.reference +
            "` taken inside a round, with its 95 % interval; the rest are medians over processes. "
            "▲ better, ▼ worse (Holm-adjusted), = equal within " +
            PercentText(a.options.equal_within) + ", ? this run cannot tell.",
        Tone::kDim});
    DocTable contaminated = ContaminationTable(a, regime);
    if (!contaminated.rows.empty()) section.blocks.push_back(contaminated);
    section.blocks.push_back(DetailTable(a, regime));
    section.blocks.push_back(OtherRatios(a, regime));
    sections.push_back(std::move(section));
  }
  if (!sections.empty()) {
    for (const auto& [name, caption] :
         {std::pair{"throughput", "Throughput relative to the reference"},
          std::pair{"ttft", "Time to first token"}, std::pair{"itl", "Gaps between tokens"},
          std::pair{"rss", "Resident memory"},
          std::pair{"drift", "Decode by round, contaminated samples marked"}}) {
      sections.back().blocks.push_back(DocFigure{name, caption});
    }
  }
  return sections;
}

DocSection OutputsSection(const Analysis& a) {
  DocSection section{
      "outputs", "The same output, proved before any speed is compared", {}, "Outputs"};
  size_t same = 0, other = 0;
  for (const OutputCheck& c : a.outputs) {
    same += c.status == OutputStatus::kSame;
    other += Disqualifies(c.status);
  }
  if (same + other > 0) {
    section.blocks.push_back(DocParagraph{
        other == 0
            ? "Tokens and logits agree with those of `" + a.reference + "` bit for bit in all " +
                  std::to_string(same) + " comparisons of a variant on a model."
            : std::to_string(other) + " of " + std::to_string(same + other) +
                  " comparisons with `" + a.reference +
                  "` differ; those variants are flagged and not ranked.",
        other == 0 ? Tone::kPlain : Tone::kFlag});
  }
  DocTable table;
  table.columns = {{"variant"}, {"model"}, {"status"}, {"tokens"}, {"logits"}, {"detail"}};
  for (const OutputCheck& c : a.outputs) {
    const Tone tone = Disqualifies(c.status)            ? Tone::kFlag
                      : c.status == OutputStatus::kSame ? Tone::kGood
                                                        : Tone::kPlain;
    table.rows.push_back({c.variant, RegimeTitle(a, c.regime), DocCell(ToString(c.status), tone),
                          c.token_hash, c.logits_hash, c.detail});
  }
  table.caption = "Hashes of the first repetition's tokens and logits";
  table.folded = other == 0;
  section.blocks.push_back(std::move(table));
  return section;
}

}  // namespace smallmind::harness
