// The whole program but its entry point: a command line in, an exit code out.
#pragma once

#include "engine/cli/instant.h"

namespace smallmind {

// Exit codes: 0 done, 1 bad usage, 2 bad input or model, or standard output cannot be written, 3
// internal error, 130 interrupted (`generate`). Errors are one line on stderr.
int RunProgram(int argc, const char* const* argv, const StartInstants& start);

}  // namespace smallmind
