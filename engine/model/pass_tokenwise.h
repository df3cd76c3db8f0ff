// Pass::Tokenwise, for the files that Pass is spread over.
#pragma once

#include <algorithm>

#include "engine/model/pass.h"

namespace smallmind {

template <typename Body>
void Pass::Tokenwise(Body&& body) {
  if (solo_) {
    body(size_t{0});
    return;
  }
  const size_t grain = std::max<size_t>(1, n_ / (w_.count() * 4));
  w_.For(n_, grain, [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; ++t) body(t);
  });
}

}  // namespace smallmind
