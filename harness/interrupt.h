// Ctrl-C: the first one ends the run cleanly with what there is, the second one ends the program.
#pragma once

#include <atomic>

namespace smallmind::harness {

// Installs handlers of SIGINT and SIGTERM and ignores SIGPIPE and SIGXFSZ (a full pipe or disk is
// an error of write, not a death). The flag becomes true at the first signal.
const std::atomic<bool>& InstallInterrupt();

}  // namespace smallmind::harness
