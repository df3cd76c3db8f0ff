// Work split over short-lived threads, for jobs of seconds (making and quantising models). The
// engine's forward pass has its own pool; this one may not be used there: it starts threads at
// every call.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace smallmind {

// Calls work(begin, end) for disjoint pieces of [0, count), each at most `piece` long, on up to
// `threads` threads. Who gets which piece is left to chance, so work must not depend on it. The
// first exception is rethrown here once all threads have ended.
template <typename Work>
void ParallelFor(size_t threads, size_t count, size_t piece, const Work& work) {
  std::atomic<size_t> next = 0;
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto run = [&] {
    try {
      for (size_t begin; (begin = next.fetch_add(piece)) < count;) {
        work(begin, std::min(begin + piece, count));
      }
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  std::vector<std::jthread> others;
  const size_t useful = std::min(threads, (count + piece - 1) / piece);
  try {
    for (size_t i = 1; i < useful; ++i) others.emplace_back(run);
  } catch (const std::system_error&) {
    // No more threads to be had: those that there are, and this one, do all of it.
  }
  run();
  others.clear();  // joins
  if (failure) std::rethrow_exception(failure);
}

}  // namespace smallmind
