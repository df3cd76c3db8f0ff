// How it was measured, on what, and what disturbed it.
#include <cmath>
#include <set>
#include <utility>

#include "harness/ceilings.h"
#include "harness/metrics.h"
#include "harness/report/sections.h"
#include "harness/report/text.h"

namespace smallmind::harness {
namespace {

void Row(DocTable& table, const std::string& name, const std::string& value) {
  if (!value.empty()) table.rows.push_back({name, value});
}

std::string Joined(const std::vector<std::string>& items, const char* separator = " ") {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : separator) + item;
  return text;
}

std::string Gibibytes(int64_t bytes) {
  return Figure(static_cast<double>(bytes) / (1 << 30)) + " GiB";
}

}  // namespace

DocSection LedgerSection(const RunInfo& run, const Analysis& a) {
  DocSection section{"ledger", "What disturbed the run", {}, "Disturbances"};
  const Ledger& l = a.ledger;
  std::string text = std::to_string(l.samples) + " samples (and " + std::to_string(l.warmups) +
                     " warm-ups), " + std::to_string(l.usable) + " usable, " +
                     std::to_string(l.contaminated) + " of them contaminated";
  text += l.concentrated_in.empty() ? "." : ", most in " + l.concentrated_in + ".";
  section.blocks.push_back(DocParagraph{text});
  section.blocks.push_back(DocParagraph{
      "The rule, fixed before the first sample: steal above " + Figure(run.rule.max_steal_pct) +
          " %, others keeping more than " + Figure(run.rule.max_other_cpus) +
          " CPUs busy, more than " + Figure(run.rule.max_involuntary_per_s) +
          " involuntary switches a second of the sample's CPU time while others ran, more than " +
          Figure(run.rule.max_procs_running) + " runnable tasks just before it, more than " +
          std::to_string(run.rule.max_major_faults) +
          " major faults, or a calibration loop slower than " +
          Figure(run.rule.max_calibration_ratio) + " times its speed before the first sample.",
      Tone::kDim});
  DocTable causes;
  causes.columns = {{"cause"}, {"samples", true}};
  for (const auto& [cause, count] : l.by_cause) {
    causes.rows.push_back(
        {cause, DocCell::Number(static_cast<double>(count), std::to_string(count))});
  }
  if (!causes.rows.empty()) section.blocks.push_back(causes);
  if (!l.failures.empty()) {
    DocList list;
    for (size_t i = 0; i < l.failures.size() && i < 20; ++i)
      list.items.push_back("failed: " + l.failures[i]);
    section.blocks.push_back(list);
  }
  return section;
}

DocSection SelftestSection(const Json& selftest) {
  DocSection section{"selftest", "What this machine's verdicts are worth", {}, "Trust"};
  if (!selftest.is_object() || !selftest.contains("curve") || !selftest["curve"].is_array()) {
    section.blocks.push_back(
        DocParagraph{"`harness selftest` had not been run on this machine when this run began: how "
                     "often it sees a difference that is not there, and how often it misses one "
                     "that is, is not measured.",
                     Tone::kDim});
    return section;
  }
  section.blocks.push_back(DocParagraph{
      "Measured with the reference under two names, and slowed on purpose: " +
      selftest.value("metric", std::string()) + " of " + selftest.value("regime", std::string()) +
      ", " + std::to_string(selftest.value("real_rounds", 0)) + " real rounds, alpha " +
      Figure(selftest.value("alpha", 0.05)) + "." +
      (selftest.contains("family")
           ? " All figures are of one comparison, as the gate makes it: Holm over its " +
                 std::to_string(selftest.value("family", 0)) +
                 " metrics. A table of many variants asks more at once and sees less."
           : "")});
  DocTable table;
  table.columns = {{"rounds", true},
                   {"comparisons", true},
                   {"false positives", true},
                   {"detectable from", true}};
  for (const Json& p : selftest["curve"].empty()
                           ? Json::array()
                           : selftest["curve"][0].value("power", Json::array())) {
    table.columns.push_back({"power at " + Figure(p.value("slowdown_pct", 0.0)) + " %", true});
  }
  for (const Json& point : selftest["curve"]) {
    std::vector<DocCell> row = {std::to_string(point.value("rounds", 0)),
                                std::to_string(point.value("comparisons", 0)),
                                PercentText(point.value("false_positive_rate", 0.0)) + " [" +
                                    PercentText(point.value("fp_low", 0.0)) + " to " +
                                    PercentText(point.value("fp_high", 1.0)) + "]",
                                point.contains("mde_pct") && point["mde_pct"].is_number()
                                    ? Figure(point["mde_pct"].get<double>()) + " %"
                                    : "-"};
    for (const Json& p : point.value("power", Json::array()))
      row.push_back(PercentText(p.value("power", 0.0)));
    table.rows.push_back(std::move(row));
  }
  section.blocks.push_back(std::move(table));
  return section;
}

DocSection MethodSection(const RunInfo& run, const Analysis& a) {
  DocSection section{"method", "Method", {}};
  section.blocks.push_back(DocList{{
      "One fresh process a sample, started by a launcher that stamps the clock just before "
      "`execve`. Rounds are "
      "interleaved over all variants in an order drawn from the recorded seed (" +
          run.plan.order + ", seed " + run.plan.seed + ").",
      "A ratio is the log of two processes of the same round, so slow drift of the machine "
      "cancels. From " +
          std::to_string(stats::kRobustFrom) +
          " rounds on the centre is the Hodges-Lehmann estimate with an expanded bootstrap "
          "interval, below that "
          "the mean with Student's interval; both cover 93-97 % in simulation for a nominal 95 %. "
          "With link layouts the layouts are the units; below " +
          std::to_string(stats::kRobustFrom) +
          " of them their scatter is pooled over the table's variants, which are taken to scatter "
          "alike: the larger of a variant's own and the pooled one counts, and its own alone where "
          "it exceeds the others' beyond chance.",
      "A median's interval is a pair of order statistics that covers it with at least 95 % "
      "whatever the distribution; below six processes there is none. Drift widens it, as it does "
      "not a ratio's.",
      "Significance is Student's test on those log-ratios, adjusted by Holm over all variants and "
      "headline metrics of "
      "one table. Equal within " +
          PercentText(a.options.equal_within) +
          " is called equal, however sharp the interval. A change is detectable where it would be "
          "found with probability 0.8 among all those rows (Holm's first step).",
      "Contaminated samples are marked, never removed. A ratio rests on clean rounds where at "
      "least " +
          std::to_string(a.options.min_clean_rounds) +
          " remain, and both results are shown where they differ. Medians, the flags' effects, the "
          "profile's gap and the spread of layouts use all rounds.",
      "Resampling: " + std::to_string(a.options.resamples) + " resamples, seed " +
          std::to_string(a.options.seed) +
          "; the same record always gives the same report. Hover or long-press a number for its "
          "sample ids; the raw "
          "samples are in `samples.jsonl`.",
  }});
  DocTable metrics;
  metrics.columns = {{"metric"}, {"unit"}, {"definition"}};
  for (const MetricDef& m : AllMetrics()) {
    metrics.rows.push_back({std::string(m.title), std::string(m.unit), std::string(m.definition)});
  }
  section.blocks.push_back(metrics);
  DocTable variants;
  variants.caption = "Variants";
  variants.columns = {{"variant"}, {"what"}, {"compiler"}, {"flags"}, {"target"}, {"state"}};
  for (const VariantInfo& v : run.variants) {
    variants.rows.push_back(
        {v.name, v.title, v.compiler, v.kind == VariantKind::kPeer ? v.command : v.flags, v.target,
         v.status == "skipped" ? DocCell("skipped: " + v.reason, Tone::kFlag) : DocCell(v.status)});
  }
  section.blocks.push_back(variants);
  return section;
}

DocSection MachineSection(const RunInfo& run) {
  DocSection section{"machine", "Machine and run", {}};
  const Environment& e = run.environment;
  DocTable table;
  table.columns = {{"fact"}, {"value"}};
  Row(table, "run", run.id);
  Row(table, "started", run.created);
  Row(table, "finished", run.finished);
  Row(table, "command", Joined(run.command));
  Row(table, "state",
      ToString(run.status) + (run.status_reason.empty() ? "" : ": " + run.status_reason));
  Row(table, "source", e.git.empty() ? "" : e.git + (e.dirty ? ", with uncommitted changes" : ""));
  Row(table, "CPU", e.cpu_model);
  Row(table, "CPUs",
      std::to_string(e.usable_cpus) + " usable of " + std::to_string(e.logical_cpus) +
          " logical, " + std::to_string(e.physical_cores) + " cores, SMT " + e.smt);
  for (const auto& [name, size] : e.caches) Row(table, name, size);
  Row(table, "CPU features", Joined(e.cpu_flags));
  if (e.memory_bytes > 0) Row(table, "memory", Gibibytes(e.memory_bytes));
  Row(table, "virtualisation", e.virtualisation);
  Row(table, "kernel", e.kernel);
  Row(table, "system", e.os);
  Row(table, "governor", e.governor);
  Row(table, "frequency", e.frequency);
  Row(table, "turbo", e.turbo);
  Row(table, "huge pages", e.transparent_huge_pages);
  Row(table, "ASLR", e.aslr);
  Row(table, "hardware counters", e.hardware_counters);
  Row(table, "steal over the run", Figure(e.steal_pct) + " %");
  std::set<std::pair<std::string, int>> ceilings;
  for (const Ceiling& c : run.ceilings) ceilings.insert({c.name, c.threads});
  for (const auto& [name, threads] : ceilings) {
    Row(table, "ceiling " + name + ", " + std::to_string(threads) + " threads, median",
        Figure(MedianCeiling(run, name, threads)));
  }
  for (const ModelInfo& m : run.models) {
    Row(table, "model " + m.name,
        m.arch + ", " + m.weight_type + ", " + Figure(static_cast<double>(m.params) / 1e6) +
            " M parameters, " + MegabyteText(m.file_bytes) + " MB" +
            (m.huge_mapped_pct < 0 ? "" : ", " + Figure(m.huge_mapped_pct) + " % in huge pages"));
  }
  section.blocks.push_back(table);
  return section;
}

}  // namespace smallmind::harness
