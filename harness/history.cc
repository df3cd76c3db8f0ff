// A machine is known by the hash in its environment. Tested with a planted slow-down after twelve
// runs.
#include "harness/history.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <tuple>

#include "harness/error.h"
#include "harness/stats/change_point.h"
#include "harness/stats/interval.h"

namespace smallmind::harness {
namespace {

constexpr double kHistoryAlpha = 0.01;  // of all series together
constexpr size_t kMinSegment = 5;

std::string Text(const Json& json, const char* name) { return json.value(name, std::string()); }

Json WithNumbers(Json json, std::initializer_list<std::pair<const char*, double>> numbers) {
  for (const auto& [name, value] : numbers) json[name] = Number(value);
  return json;
}

double Double(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number() ? found->get<double>() : stats::kNan;
}

// The toolchains of what was built, in the run's order: "gcc", "gcc and clang".
std::string ToolchainsOf(const RunInfo& run) {
  std::vector<std::string> seen;
  for (const VariantInfo& v : run.variants) {
    if (v.toolchain.empty() || v.status != "built") continue;
    if (std::ranges::find(seen, v.toolchain) == seen.end()) seen.push_back(v.toolchain);
  }
  std::string text;
  for (const std::string& name : seen) text += (text.empty() ? "" : " and ") + name;
  return text;
}

std::string ConditionsOf(const RunInfo& run) {
  const PlanInfo& plan = run.plan;
  std::string text = ToolchainsOf(run);
  const auto add = [&](bool unusual, const std::string& what) {
    if (unusual) text += (text.empty() ? "" : ", ") + what;
  };
  add(plan.cold, "cold");
  add(!plan.pin.empty(), "pinned to " + plan.pin);
  add(plan.aslr_off, "no ASLR");
  add(!plan.random_environment, "fixed environment");
  add(plan.layouts > 0, std::to_string(plan.layouts) + " layouts");
  add(plan.timers, "timers");
  add(!plan.inject.empty(), "slowed " + plan.inject);
  return text;
}

}  // namespace

void to_json(Json& json, const HistoryEntry& e) {
  json = {{"schema", 1},  {"run", e.run},         {"created", e.created},
          {"git", e.git}, {"machine", e.machine}, {"conditions", e.conditions}};
  json["points"] = Json::array();
  for (const HistoryPoint& p : e.points) {
    json["points"].push_back(WithNumbers({{"variant", p.variant},
                                          {"model", p.model},
                                          {"workload", p.workload},
                                          {"metric", p.metric}},
                                         {{"value", p.value}, {"low", p.low}, {"high", p.high}}));
  }
  json["changes"] = Json::array();
  for (const HistoryChange& c : e.changes) {
    json["changes"].push_back(
        WithNumbers({{"variant", c.variant},
                     {"model", c.model},
                     {"workload", c.workload},
                     {"metric", c.metric},
                     {"index", c.index}},
                    {{"p", c.p_value}, {"before", c.before}, {"after", c.after}}));
  }
}

void from_json(const Json& json, HistoryEntry& e) {
  e.run = Text(json, "run");
  e.created = Text(json, "created");
  e.git = Text(json, "git");
  e.machine = Text(json, "machine");
  e.conditions = Text(json, "conditions");
  for (const Json& p : json.value("points", Json::array())) {
    e.points.push_back({Text(p, "variant"), Text(p, "model"), Text(p, "workload"),
                        Text(p, "metric"), Double(p, "value"), Double(p, "low"),
                        Double(p, "high")});
  }
  for (const Json& c : json.value("changes", Json::array())) {
    e.changes.push_back({Text(c, "variant"), Text(c, "model"), Text(c, "workload"),
                         Text(c, "metric"), c.value("index", size_t{0}), Double(c, "p"),
                         Double(c, "before"), Double(c, "after")});
  }
}

std::vector<HistoryEntry> LoadHistory(const std::string& path) {
  std::vector<HistoryEntry> entries;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) continue;
    try {
      entries.push_back(json.get<HistoryEntry>());
    } catch (const Json::exception&) {
      continue;
    }
  }
  return entries;
}

HistoryEntry MakeHistoryEntry(const Run& run, const Analysis& analysis) {
  HistoryEntry entry;
  entry.run = run.info.id;
  entry.created = run.info.created;
  entry.git = run.info.environment.git;
  entry.machine = run.info.environment.hostname_hash;
  entry.conditions = ConditionsOf(run.info);
  for (const MetricSummary& s : analysis.summaries) {
    if (std::find(std::begin(kHeadlineMetrics), std::end(kHeadlineMetrics), s.metric) ==
        std::end(kHeadlineMetrics)) {
      continue;
    }
    entry.points.push_back({s.variant, s.regime.model, s.regime.workload, s.metric, s.median,
                            s.interval.low, s.interval.high});
  }
  return entry;
}

std::vector<HistoryChange> FindHistoryChanges(const std::vector<HistoryEntry>& entries,
                                              const HistoryEntry& last) {
  using Key = std::tuple<std::string, std::string, std::string, std::string>;
  std::map<Key, std::pair<std::vector<double>, std::vector<size_t>>> series;
  size_t index = 0;
  for (const HistoryEntry& e : entries) {
    if (!e.ComparesWith(last)) continue;
    for (const HistoryPoint& p : e.points) {
      auto& [values, indices] = series[{p.variant, p.model, p.workload, p.metric}];
      values.push_back(p.value);
      indices.push_back(index);
    }
    ++index;
  }
  size_t tested = 0;
  for (const auto& [key, data] : series) tested += data.first.size() >= 2 * kMinSegment ? 1 : 0;
  // Bonferroni, with permutations enough to reach its level.
  const double alpha = kHistoryAlpha / static_cast<double>(std::max<size_t>(tested, 1));
  const size_t permutations = std::max<size_t>(499, static_cast<size_t>(std::ceil(1.0 / alpha)));
  std::vector<HistoryChange> changes;
  for (const auto& [key, data] : series) {
    const auto& [values, indices] = data;
    for (const stats::ChangePoint& point :
         stats::FindChangePoints(values, {alpha, permutations, kMinSegment, 1})) {
      changes.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), std::get<3>(key),
                         indices[point.index], point.p_value, point.before, point.after});
    }
  }
  return changes;
}

HistoryEntry AppendHistory(const std::string& path, const Run& run, const Analysis& analysis) {
  std::vector<HistoryEntry> entries = LoadHistory(path);
  HistoryEntry entry = MakeHistoryEntry(run, analysis);
  for (auto last = entries.rbegin(); last != entries.rend(); ++last) {
    if (!last->ComparesWith(entry)) continue;
    if (entry.created <= last->created) return *last;
    break;
  }
  entries.push_back(entry);
  entry.changes = FindHistoryChanges(entries, entry);
  // A torn last line gets its end first, so that it spoils no other.
  bool torn = false;
  if (std::ifstream in(path, std::ios::binary | std::ios::ate); in && in.tellg() > 0) {
    in.seekg(-1, std::ios::end);
    torn = in.get() != '\n';
  }
  std::ofstream out(path, std::ios::app);
  out << (torn ? "\n" : "") << Json(entry).dump(-1, ' ', false, Json::error_handler_t::replace)
      << "\n";
  out.close();
  if (!out) throw RunError("cannot write " + path);
  return entry;
}

}  // namespace smallmind::harness
