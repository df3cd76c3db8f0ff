// The comparison table of a run as aligned text, at most `width` columns wide.
#pragma once

#include <string>

#include "harness/analysis.h"
#include "harness/record.h"

namespace smallmind::harness {

struct TerminalStyle {
  size_t width = 120;
  bool colour = false;  // ANSI; only where the output is a terminal
};

std::string RenderTerminal(const RunInfo& run, const Analysis& analysis,
                           const TerminalStyle& style = {});

}  // namespace smallmind::harness
