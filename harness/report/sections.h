// The report's sections, one function each; what a run does not have, its section leaves out or
// says so.
#pragma once

#include <string>
#include <vector>

#include "harness/analysis.h"
#include "harness/record.h"
#include "harness/report/document.h"

namespace smallmind::harness {

DocSection SummarySection(const RunInfo& run, const Analysis& analysis);
std::vector<DocSection> ResultSections(const RunInfo& run, const Analysis& analysis);
DocSection GuideSection(const RunInfo& run, const Analysis& analysis);
DocSection ClaimsSection(const Analysis& analysis);
DocSection OutputsSection(const Analysis& analysis);
DocSection RecommendationSection(const Analysis& analysis);
DocSection FactorialSection(const Analysis& analysis);
DocSection WhySection(const RunInfo& run, const Analysis& analysis);
DocSection StartupSection(const Analysis& analysis);
DocSection SizeSection(const RunInfo& run, const Analysis& analysis);
DocSection HonestySection(const Analysis& analysis);
// `selftest`: the record's, empty where the machine had none when the run began.
DocSection SelftestSection(const Json& selftest);
DocSection LedgerSection(const RunInfo& run, const Analysis& analysis);
DocSection MethodSection(const RunInfo& run, const Analysis& analysis);
DocSection MachineSection(const RunInfo& run);

// "The guide's 26 claims: 5 confirmed and …", without a full stop.
std::string TallyText(const Analysis& analysis);
// The model, with its workload where the run has several of that model.
std::string RegimeTitle(const Analysis& analysis, const Regime& regime);
// How a verdict looks: its tone, and "▲", "▼", "=" or "?".
Tone ToneOf(Verdict verdict);
const char* MarkOf(Verdict verdict);
// The ratio to the reference with its mark; "not ranked" for a flagged variant.
DocCell ComparedCell(const Analysis& analysis, const std::string& variant, const Regime& regime,
                     const std::string& metric);
// The name, "(flagged)" behind it where the variant may not be ranked.
DocCell NameCell(const Analysis& analysis, const std::string& variant,
                 const std::string& hint = "");
// "samples 3, 17, 29 …": where a number comes from.
std::string IdsHint(const std::vector<int64_t>& ids);

}  // namespace smallmind::harness
