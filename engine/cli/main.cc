// smallmind: one program, one subcommand a file. What it does and its exit codes: run_program.h.

#include <fcntl.h>

#include <csignal>

#include "engine/cli/instant.h"
#include "engine/cli/run_program.h"

namespace {

// The one thing that runs before everything else of the program and has nobody to hand its result
// to.
constinit smallmind::Instant loaded;
__attribute__((constructor(101))) void StampLoaded() { loaded = smallmind::Instant::Now(); }

// The next file opened would get the number of a closed standard stream, and messages would be
// written into it. Input and output stay unusable, as the error says; messages are lost.
void FillClosedStreams() {
  constexpr int kModes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int fd = 0; fd < 3; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", kModes[fd]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const smallmind::StartInstants start = {loaded, smallmind::Instant::Now()};
  FillClosedStreams();
  std::signal(SIGXFSZ, SIG_IGN);  // a write past a limit on file sizes then fails like any other
  return smallmind::RunProgram(argc, argv, start);
}
