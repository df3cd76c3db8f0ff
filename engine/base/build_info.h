// What this binary is: the facts of the build that made it, for `info` and the protocol's hello
// event.
#pragma once

#include <string_view>

namespace smallmind {

struct BuildInfo {
  std::string_view variant;   // row of variants/variants.json: "o2"
  std::string_view compiler;  // "GCC 12.2.0"
  std::string_view flags;     // compile and link flags of that row, space separated
  std::string_view isa;       // "baseline", "native", "scalar"
  std::string_view dispatch;  // "dynamic" or "static", as the row declares it
  std::string_view lto;       // "none", "full", "thin"
  std::string_view pgo;       // "none", "instrument", "use"
  std::string_view link;      // "dynamic" or "static"
  std::string_view git;  // abbreviated commit, "-dirty" appended; "unknown" outside a repository
};

const BuildInfo& GetBuildInfo();

}  // namespace smallmind
