#include "harness/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include "harness/error.h"

namespace smallmind::harness {
namespace {

std::atomic<bool> interrupted =
    false;  // the one global: a signal handler has no other way to speak

void OnSignal(int) {
  if (interrupted.exchange(true)) _exit(kExitInterrupted);
}

}  // namespace

const std::atomic<bool>& InstallInterrupt() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  return interrupted;
}

}  // namespace smallmind::harness
