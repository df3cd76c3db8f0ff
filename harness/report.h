// The report of a run: report.md, report.html and run.json's "analysis", all from the record alone.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/analysis.h"
#include "harness/record.h"
#include "harness/report/document.h"
#include "harness/report/terminal.h"

namespace smallmind::harness {

// From the record alone: the machine's operating curve too is the one that the run began with.
Document BuildReport(const RunInfo& run, const Analysis& analysis);

// One self-contained page: style, sorting script and `figures` (name -> SVG text) inside; no
// network. Figures of the document that are not given are left out.
std::string RenderHtml(const Document& document, const std::map<std::string, std::string>& figures);

// name -> SVG text of <directory>/plots/*.svg; empty where there are none.
std::map<std::string, std::string> LoadFigures(const std::string& directory);

// Analyses <directory>'s record, stores the analysis in run.json (written beside and renamed),
// writes report.md and report.html, and returns the analysis. Errors: those of LoadRun, and
// RunError where a file cannot be written. Call it again after the plots are made: the page then
// holds them.
Analysis WriteReport(const std::string& directory);

// Two runs side by side (machines or commits): report.md and report.html in `output`, which is
// created. Errors: those of LoadRun; RunError where a file cannot be written.
Document BuildComparison(const RunInfo& first, const Analysis& a, const RunInfo& second,
                         const Analysis& b);
void WriteComparisonReport(const std::string& first, const std::string& second,
                           const std::string& output);

}  // namespace smallmind::harness
