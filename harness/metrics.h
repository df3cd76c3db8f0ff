// Every number the harness reports, defined once: name, unit, which way is better, and one
// sentence.
//
// A cell shows the median over its processes with an interval of order statistics, which needs six
// of them (stats::MedianInterval). A metric of a sample is a key of Sample::metrics; a metric of a
// binary is a key of BinarySize. The README, the table headings, the gate's thresholds and the
// plots all take their words from here.
#pragma once

#include <span>
#include <string_view>

namespace smallmind::harness {

enum class Direction { kHigherIsBetter, kLowerIsBetter };
enum class MetricScope { kSample, kBinary };

struct MetricDef {
  std::string_view name;
  std::string_view unit;
  Direction direction;
  MetricScope scope;
  std::string_view title;       // a column heading
  std::string_view definition;  // one sentence
};

inline constexpr MetricDef kMetrics[] = {
    {"startup_ms", "ms", Direction::kLowerIsBetter, MetricScope::kSample, "startup",
     "From just before execve to the moment the engine is ready for a prompt: loader, main, model "
     "mapped, tokenizer, session."},
    {"ttft_cold_ms", "ms", Direction::kLowerIsBetter, MetricScope::kSample, "cold TTFT",
     "From just before execve to the first generated token of the process: startup, first touch of "
     "every page and the first prefill included."},
    {"ttft_ms", "ms", Direction::kLowerIsBetter, MetricScope::kSample, "TTFT",
     "From the prompt text handed over, tokenising included, to the first generated token; median "
     "of the process's warm repetitions (the first repetition only where there is no other)."},
    {"prefill_tps", "tok/s", Direction::kHigherIsBetter, MetricScope::kSample, "prefill",
     "Prompt tokens divided by the time from tokenised prompt to the first token's logits; median "
     "of the warm repetitions."},
    {"decode_tps", "tok/s", Direction::kHigherIsBetter, MetricScope::kSample, "decode",
     "(n - 1) / (time of the last token - time of the first); median of the repetitions."},
    {"itl_p50_ms", "ms", Direction::kLowerIsBetter, MetricScope::kSample, "ITL p50",
     "Median gap between consecutive tokens over the repetitions of a process."},
    {"itl_p95_ms", "ms", Direction::kLowerIsBetter, MetricScope::kSample, "ITL p95",
     "95th percentile of the gaps between consecutive tokens over the repetitions."},
    {"itl_p99_ms", "ms", Direction::kLowerIsBetter, MetricScope::kSample, "ITL p99",
     "99th percentile of the gaps between consecutive tokens over the repetitions."},
    {"peak_rss_mib", "MiB", Direction::kLowerIsBetter, MetricScope::kSample, "peak RSS",
     "VmHWM: the most resident memory the process ever had, the mapped model's touched pages "
     "included."},
    {"rss_anon_mib", "MiB", Direction::kLowerIsBetter, MetricScope::kSample, "anonymous RSS",
     "RssAnon when the benchmark ends: memory that belongs to this process alone. Of a peer, the "
     "most that was seen of it, in warm-ups only."},
    {"rss_file_mib", "MiB", Direction::kLowerIsBetter, MetricScope::kSample, "file RSS",
     "RssFile when the benchmark ends: pages of the model and of the program, shared with the page "
     "cache."},
    {"file_bytes", "bytes", Direction::kLowerIsBetter, MetricScope::kBinary, "file size",
     "Bytes of the executable as built."},
    {"stripped_bytes", "bytes", Direction::kLowerIsBetter, MetricScope::kBinary, "stripped size",
     "Bytes the executable keeps without symbol table and debug sections."},
    {"text_bytes", "bytes", Direction::kLowerIsBetter, MetricScope::kBinary, ".text",
     "Bytes of executable sections."},
};

inline constexpr std::span<const MetricDef> AllMetrics() { return kMetrics; }

// nullptr where no metric has that name.
constexpr const MetricDef* FindMetric(std::string_view name) {
  for (const MetricDef& metric : kMetrics) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

}  // namespace smallmind::harness
