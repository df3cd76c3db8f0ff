// Why, and what to ship: recommendation, factorial, kernels and roofline, startup, size, layouts
// and PGO.
#include <algorithm>
#include <cmath>

#include "harness/report/sections.h"
#include "harness/report/text.h"

namespace smallmind::harness {
namespace {

DocCell RatioCell(const stats::LogRatio& ratio) {
  return DocCell::Number(ratio.Ratio(), RatioText(ratio), Tone::kPlain,
                         "p " + PValueText(ratio.p_value));
}

DocCell VerdictCell(const FactorialEffect& e) {
  if (!std::isfinite(e.effect.log.estimate)) return "-";
  return DocCell::Number(e.effect.Ratio(), RatioText(e.effect) + " " + MarkOf(e.verdict),
                         ToneOf(e.verdict), "p " + PValueText(e.effect.p_value));
}

DocCell ValueCell(double value, const std::string& unit = "") {
  return DocCell::Number(value,
                         Figure(value) + (unit.empty() || !std::isfinite(value) ? "" : " " + unit));
}

DocCell CountCell(double value) {
  return DocCell::Number(value, std::to_string(std::llround(value)));
}

std::string Signed(double value) { return (value > 0 ? "+" : "") + Figure(value); }

std::string Kibibytes(int64_t bytes) { return Signed(static_cast<double>(bytes) / 1024.0); }

std::string WorkOf(const std::string& metric) {
  return metric == "decode_tps" ? "decode" : "prefill";
}

}  // namespace

DocSection RecommendationSection(const Analysis& a) {
  DocSection section{"ship", "What to ship", {}, "Ship"};
  if (a.recommendations.empty()) return section;
  DocTable table;
  table.columns = {{"goal"}, {"ship"}, {"because"}};
  for (const Recommendation& r : a.recommendations) {
    table.rows.push_back({r.goal, DocCell(r.variant, Tone::kGood), r.evidence});
  }
  section.blocks.push_back(std::move(table));
  section.blocks.push_back(DocFigure{"pareto", "Speed against size"});
  DocTable front;
  front.folded = true;
  front.caption =
      "Pareto front over decode speed, size, RSS and startup, relative to the reference. Beaten: "
      "another variant is better in one of them beyond doubt and, as far as the intervals tell, "
      "worse in none";
  front.columns = {{"variant"},     {"model"},           {"speed ×", true}, {"size ×", true},
                   {"RSS ×", true}, {"startup ×", true}, {"on the front"}};
  const auto ratio = [&](const ParetoPoint& p, const stats::LogRatio& r) {
    return p.variant == a.reference ? DocCell::Number(1.0, "1") : RatioCell(r);
  };
  for (const ParetoPoint& p : a.pareto) {
    front.rows.push_back(
        {p.variant, RegimeTitle(a, p.regime), ratio(p, p.speed), ValueCell(p.size), ratio(p, p.rss),
         ratio(p, p.startup),
         p.on_front ? DocCell("yes", Tone::kGood) : DocCell("beaten by " + p.beaten_by)});
  }
  section.blocks.push_back(std::move(front));
  return section;
}

DocSection FactorialSection(const Analysis& a) {
  DocSection section{"factorial", "What each flag does, alone and with the others", {}, "Flags"};
  if (a.factorial.empty()) return section;
  DocList said;
  for (const Factorial& f : a.factorial)
    said.items.insert(said.items.end(), f.sentences.begin(), f.sentences.end());
  if (!said.items.empty()) section.blocks.push_back(std::move(said));
  section.blocks.push_back(DocFigure{"factorial", "Factorial effects"});
  const size_t layouts = a.factorial.front().layouts;
  DocTable table;
  table.caption =
      "Main effects are means over the other two flags; an interaction is the extra factor that "
      "both have together. " +
      std::to_string(a.factorial.front().rounds) + " rounds" +
      (layouts > 1 ? " of " + std::to_string(layouts) + " link layouts, which are the units" +
                         (layouts < stats::kRobustFrom
                              ? " (so few: their scatter is that of all eight variants)"
                              : "")
                   : "") +
      ", contaminated ones included; ▲ ▼ = ? are Holm-adjusted over all effects here.";
  table.columns = {{"effect"}};
  const bool several = a.factorial.front().toolchain != a.factorial.back().toolchain;
  for (const Factorial& f : a.factorial) {
    table.columns.push_back(
        {WorkOf(f.metric) + ", " + RegimeTitle(a, f.regime) + (several ? ", " + f.toolchain : ""),
         true});
  }
  const auto rows = [&](auto&& list_of) {
    const auto& first = list_of(a.factorial.front());
    for (size_t i = 0; i < first.size(); ++i) {
      std::vector<DocCell> row = {first[i].name};
      for (const Factorial& f : a.factorial) {
        const FactorialEffect& e = list_of(f)[i];
        row.push_back(VerdictCell(e));
      }
      table.rows.push_back(std::move(row));
    }
  };
  rows([](const Factorial& f) -> const std::vector<FactorialEffect>& { return f.effects; });
  rows([](const Factorial& f) -> const std::vector<FactorialEffect>& { return f.given; });
  const auto whole = [&](const char* name, auto&& of) {
    std::vector<DocCell> row = {name};
    for (const Factorial& f : a.factorial) row.push_back(RatioCell(of(f)));
    table.rows.push_back(std::move(row));
  };
  whole("all three, predicted from each alone",
        [](const Factorial& f) -> const stats::LogRatio& { return f.predicted; });
  whole("all three, measured",
        [](const Factorial& f) -> const stats::LogRatio& { return f.measured; });
  whole("measured / predicted",
        [](const Factorial& f) -> const stats::LogRatio& { return f.surplus; });
  section.blocks.push_back(std::move(table));
  return section;
}

namespace {

void AddInstructions(const RunInfo& run, const Analysis& a, DocSection& section) {
  if (a.instructions.empty()) {
    section.blocks.push_back(DocParagraph{
        "Instructions were not counted. Hardware counters: " + run.environment.hardware_counters +
            ". `--instructions` counts them with valgrind (package valgrind).",
        Tone::kDim});
    return;
  }
  DocTable table;
  table.caption =
      "Instructions executed, beside the time they took in this run. By callgrind: a token, one "
      "thread, on the target named (valgrind knows no AVX-512); by hardware counters: a process, "
      "against one of as many repetitions. "
      "?: the times cannot be told apart";
  table.folded = true;
  table.columns = {{"variant"},     {"model"},       {"work"},
                   {"counted on"},  {"count", true}, {"× reference", true},
                   {"time ×", true}};
  for (const InstructionRatio& r : a.instructions) {
    if (!std::isfinite(r.count)) {
      if (r.work == "decode") continue;  // said once
      table.rows.push_back(
          {r.variant, RegimeTitle(a, r.regime), "-", DocCell(r.reason, Tone::kDim), "-", "-", "-"});
      continue;
    }
    const bool open = !r.time_clear && r.variant != run.reference && std::isfinite(r.time_ratio);
    const DocCell time = DocCell::Number(r.time_ratio, Figure(r.time_ratio) + (open ? " ?" : ""));
    table.rows.push_back(
        {r.variant, RegimeTitle(a, r.regime), r.work, r.source == "callgrind" ? r.target : r.source,
         DocCell::Number(r.count, Figure(r.count * 1e-6) + " million"), ValueCell(r.ratio), time});
  }
  section.blocks.push_back(std::move(table));
}

}  // namespace

DocSection WhySection(const RunInfo& run, const Analysis& a) {
  DocSection section{"why", "Why: kernels and ceilings", {}, "Why"};
  DocList said;
  for (const RooflinePoint& p : a.roofline) {
    if (p.variant == run.reference && !p.sentence.empty()) said.items.push_back(p.sentence + ".");
  }
  // A flagged variant does other work: its losses are no finding about these flags.
  for (const Breakdown& b : a.breakdown) {
    if (!b.sentence.empty() && a.Unranked(b.variant).empty())
      said.items.push_back(b.sentence + ".");
  }
  for (const InstructionRatio& r : a.instructions) {
    if (!r.sentence.empty() && a.Unranked(r.variant).empty())
      said.items.push_back(r.sentence + ".");
  }
  if (!said.items.empty()) section.blocks.push_back(std::move(said));
  section.blocks.push_back(DocFigure{"roofline", "Share of the machine's ceilings"});
  DocTable roof;
  roof.caption =
      "Decode: weights plus keys and values read (GB/s); prefill: operations with weights, as the "
      "engine reports them (G operations/s)";
  roof.folded = true;
  roof.columns = {{"variant"},       {"model"},       {"work"},      {"achieved", true},
                  {"ceiling", true}, {"share", true}, {"limited by"}};
  for (const RooflinePoint& p : a.roofline) {
    const std::string unit = p.work == "decode" ? "GB/s" : "GOP/s";
    DocCell share =
        p.ceiling > 0.0
            ? DocCell::Number(p.fraction.estimate, PercentText(p.fraction.estimate), Tone::kPlain,
                              PercentText(p.fraction.low) + " to " + PercentText(p.fraction.high))
            : DocCell("-");
    roof.rows.push_back({NameCell(a, p.variant), RegimeTitle(a, p.regime), p.work,
                         ValueCell(p.achieved, unit),
                         p.ceiling > 0.0 ? ValueCell(p.ceiling, unit) : DocCell("not measured"),
                         share, DocCell(ToString(p.bound), Tone::kPlain, p.sentence)});
  }
  if (!roof.rows.empty()) section.blocks.push_back(std::move(roof));
  DocTable kernels;
  kernels.caption =
      "Time of startup and of a mean repetition, against the reference: milliseconds and their "
      "change, paired by round";
  kernels.folded = true;
  kernels.columns = {{"variant"},
                     {"model"},
                     {"part"},
                     {"reference ms", true},
                     {"variant ms", true},
                     {"change ms", true},
                     {"share of the change", true}};
  for (const Breakdown& b : a.breakdown) {
    const auto add = [&](const BreakdownPart& p) {
      kernels.rows.push_back(
          {NameCell(a, b.variant), RegimeTitle(a, b.regime), p.name, ValueCell(p.reference_ms),
           ValueCell(p.variant_ms),
           DocCell::Number(p.delta_ms.estimate, Signed(p.delta_ms.estimate) + " " +
                                                    IntervalText(p.delta_ms.low, p.delta_ms.high)),
           p.share == 0.0 ? DocCell("") : DocCell::Number(p.share, PercentText(p.share))});
    };
    for (const BreakdownPart& p : b.phases) add(p);
    for (size_t i = 0; i < b.kernels.size() && i < 6; ++i) add(b.kernels[i]);
  }
  if (!kernels.rows.empty()) section.blocks.push_back(std::move(kernels));
  AddInstructions(run, a, section);
  return section;
}

DocSection StartupSection(const Analysis& a) {
  DocSection section{"startup", "Startup, phase by phase", {}, "Startup"};
  if (a.waterfall.empty()) return section;
  section.blocks.push_back(DocFigure{"startup", "Startup as a waterfall"});
  section.blocks.push_back(
      DocParagraph{"Milliseconds of each phase and, after the +, the page faults taken in it. The "
                   "loader's phase holds exec, the mapping of libraries and all relocations.",
                   Tone::kDim});
  DocTable table;
  table.columns = {{"variant"}, {"model"}};
  for (const WaterfallPhase& p : a.waterfall.front().phases)
    table.columns.push_back({p.name + " ms", true});
  for (const char* title : {"minor faults", "major faults", "relocations"})
    table.columns.push_back({title, true});
  for (const Waterfall& w : a.waterfall) {
    if (w.phases.size() != a.waterfall.front().phases.size()) continue;
    std::vector<DocCell> row = {w.variant, RegimeTitle(a, w.regime)};
    for (const WaterfallPhase& p : w.phases) {
      std::string text = Figure(p.length_ms);
      if (std::isfinite(p.minor_faults)) {
        text += " + " + std::to_string(std::llround(p.minor_faults));
        if (p.major_faults > 0.0) text += " (" + Figure(p.major_faults) + " major)";
      }
      row.push_back(DocCell::Number(p.length_ms, text, Tone::kPlain,
                                    "95 % " + IntervalText(p.low_ms, p.high_ms) + " ms"));
    }
    row.push_back(CountCell(w.minor_faults));
    row.push_back(CountCell(w.major_faults));
    row.push_back(w.relocations < 0 ? DocCell("-") : CountCell(static_cast<double>(w.relocations)));
    table.rows.push_back(std::move(row));
  }
  section.blocks.push_back(std::move(table));
  return section;
}

namespace {

// Decode's gain by added KiB, with its interval and mark.
DocCell GainCell(const Analysis& a, const Footprint& f) {
  const Comparison* c = a.Against(f.variant, f.regime, "decode_tps");
  if (c == nullptr || !std::isfinite(f.gain_per_kib)) return "-";
  if (!a.Unranked(f.variant).empty()) return DocCell("not ranked", Tone::kFlag);
  const double scale = 102400.0 / static_cast<double>(f.stripped_bytes - f.reference_bytes);
  return DocCell::Number(
      f.gain_per_kib,
      Figure(100.0 * f.gain_per_kib) + " % " +
          IntervalText(scale * (c->ratio().Low() - 1.0), scale * (c->ratio().High() - 1.0)) + " " +
          MarkOf(c->verdict),
      ToneOf(c->verdict));
}

}  // namespace

DocSection SizeSection(const RunInfo& run, const Analysis& a) {
  DocSection section{"size", "Size: what the bytes are", {}, "Size"};
  if (a.footprint.empty()) return section;
  section.blocks.push_back(DocFigure{"size", "Binary size by section"});
  DocTable table;
  table.caption =
      "KiB against the reference. Kernels exist once a Highway target; on this machine one of them "
      "runs.";
  table.columns = {
      {"variant"},       {"stripped MB", true}, {"change KiB", true},      {".text", true},
      {".rodata", true}, {"unwind", true},      {"running kernels", true}, {"other targets", true},
      {"cold", true},    {"other code", true},  {"decode ×", true},        {"gain a KiB", true}};
  for (const Footprint& f : a.footprint) {
    const auto section_of = [&](std::initializer_list<const char*> names) -> DocCell {
      int64_t bytes = 0;
      for (const char* name : names) {
        const auto found = f.section_delta.find(name);
        if (found != f.section_delta.end()) bytes += found->second;
      }
      return DocCell::Number(static_cast<double>(bytes), Kibibytes(bytes));
    };
    const auto heat = [&](const char* name) -> DocCell {
      if (f.heat_bytes.empty() || (f.heat_delta.empty() && f.variant != run.reference)) return "-";
      const auto found = f.heat_delta.find(name);
      const int64_t bytes = found == f.heat_delta.end() ? 0 : found->second;
      return DocCell::Number(static_cast<double>(bytes), Kibibytes(bytes));
    };
    table.rows.push_back(
        {NameCell(a, f.variant), ValueCell(static_cast<double>(f.stripped_bytes) / 1e6),
         DocCell::Number(static_cast<double>(f.stripped_bytes - f.reference_bytes),
                         Kibibytes(f.stripped_bytes - f.reference_bytes)),
         section_of({".text"}), section_of({".rodata"}),
         section_of({".eh_frame", ".eh_frame_hdr", ".gcc_except_table"}), heat("running target"),
         heat("other targets"), heat("cold"), heat("other code"),
         ComparedCell(a, f.variant, f.regime, "decode_tps"), GainCell(a, f)});
  }
  section.blocks.push_back(std::move(table));
  DocTable functions;
  functions.caption = "Functions that changed most, their split, cloned and cold parts folded in";
  functions.folded = true;
  functions.columns = {{"variant"},
                       {"function"},
                       {"reference bytes", true},
                       {"variant bytes", true},
                       {"change", true}};
  for (const Footprint& f : a.footprint) {
    for (size_t i = 0; i < f.functions.size() && i < 5; ++i) {
      const FunctionDelta& d = f.functions[i];
      functions.rows.push_back(
          {f.variant, Truncate(d.name, 100), ValueCell(static_cast<double>(d.reference_bytes)),
           ValueCell(static_cast<double>(d.variant_bytes)),
           DocCell::Number(static_cast<double>(d.variant_bytes - d.reference_bytes),
                           Signed(static_cast<double>(d.variant_bytes - d.reference_bytes)))});
    }
  }
  if (!functions.rows.empty()) section.blocks.push_back(std::move(functions));
  return section;
}

DocSection HonestySection(const Analysis& a) {
  DocSection section{"honesty", "Layout luck and the profile's honesty", {}, "Honesty"};
  if (a.layouts.empty()) {
    section.blocks.push_back(
        DocParagraph{"One link layout a variant was run: an effect of a few per cent may be the "
                     "layout's luck and not the flag's. "
                     "`--layouts K` measures it.",
                     Tone::kDim});
  } else {
    DocTable table;
    table.caption =
        "Spread over link layouts of the same code beside the flag's effect; an effect inside the "
        "spread is not ranked.";
    table.columns = {{"variant"},         {"model"},        {"work"},
                     {"layouts", true},   {"spread", true}, {"effect", true},
                     {"above the spread"}};
    for (const LayoutSpread& l : a.layouts) {
      table.rows.push_back({l.variant, RegimeTitle(a, l.regime), WorkOf(l.metric),
                            CountCell(static_cast<double>(l.layouts)),
                            DocCell::Number(l.spread, PercentText(l.spread)), RatioCell(l.effect),
                            l.variant == a.reference ? DocCell("-")
                            : l.above                ? DocCell("yes", Tone::kGood)
                                                     : DocCell("no", Tone::kDim)});
    }
    section.blocks.push_back(std::move(table));
  }
  DocList said;
  DocTable pgo;
  pgo.caption =
      "What a profile gives, on prompts that it was not trained on and on those that it was; the "
      "gap is the second gain over the first.";
  pgo.columns = {{"variant"},
                 {"against"},
                 {"model"},
                 {"work"},
                 {"hot code covered", true},
                 {"on unseen prompts", true},
                 {"on training prompts", true},
                 {"gap", true}};
  for (const PgoGap& g : a.pgo) {
    pgo.rows.push_back(
        {g.variant, g.base, RegimeTitle(a, g.regime), WorkOf(g.metric),
         g.coverage >= 0
             ? DocCell::Number(g.coverage,
                               PercentText(g.coverage > 1.0 ? g.coverage / 100.0 : g.coverage))
             : DocCell("unknown"),
         RatioCell(g.evaluated), RatioCell(g.on_training), RatioCell(g.gap)});
    if (std::isfinite(g.gap.log.estimate)) said.items.push_back(g.sentence + ".");
  }
  if (!pgo.rows.empty() && said.items.empty()) {
    section.blocks.push_back(DocParagraph{
        "Profiles are trained on prompts that the evaluation never uses. How far they flatter "
        "themselves on their own prompts was not measured: `--training-prompts` does.",
        Tone::kDim});
  }
  if (!said.items.empty()) section.blocks.push_back(std::move(said));
  if (!pgo.rows.empty()) section.blocks.push_back(std::move(pgo));
  return section;
}

}  // namespace smallmind::harness
