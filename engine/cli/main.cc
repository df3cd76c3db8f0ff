// smallmind: one program, one subcommand a file. What it does and its exit codes: run_program.h.

#include "engine/cli/instant.h"
#include "engine/cli/run_program.h"

namespace {

// The one thing that runs before everything else of the program and has nobody to hand its result
// to.
constinit smallmind::Instant loaded;
__attribute__((constructor(101))) void StampLoaded() { loaded = smallmind::Instant::Now(); }

}  // namespace

int main(int argc, char** argv) {
  return smallmind::RunProgram(argc, argv, {loaded, smallmind::Instant::Now()});
}
