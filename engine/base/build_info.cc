// The build writes two headers: build_facts.h, one per variant and rewritten only when its row
// changes, and git_revision.h, shared by all. Keeping both out of the command line and inside this
// one file means that a new commit recompiles one small object a variant. Tested by
// build_info_test.cc.
#include "engine/base/build_info.h"

#include "build_facts.h"
#include "git_revision.h"

#define SMALLMIND_TEXT_(x) #x
#define SMALLMIND_TEXT(x) SMALLMIND_TEXT_(x)
#define SMALLMIND_DOTTED(a, b, c) SMALLMIND_TEXT(a) "." SMALLMIND_TEXT(b) "." SMALLMIND_TEXT(c)

namespace smallmind {
namespace {

#if defined(__clang__)
constexpr std::string_view kCompiler =
    "Clang " SMALLMIND_DOTTED(__clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
constexpr std::string_view kCompiler =
    "GCC " SMALLMIND_DOTTED(__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
constexpr std::string_view kCompiler = "unknown";
#endif

constexpr BuildInfo kBuildInfo = {
    .variant = SMALLMIND_FACT_VARIANT,
    .compiler = kCompiler,
    .flags = SMALLMIND_FACT_FLAGS,
    .isa = SMALLMIND_FACT_ISA,
    .dispatch = SMALLMIND_FACT_DISPATCH,
    .lto = SMALLMIND_FACT_LTO,
    .pgo = SMALLMIND_FACT_PGO,
    .link = SMALLMIND_FACT_LINK,
    .git = SMALLMIND_GIT_REVISION,
};

}  // namespace

const BuildInfo& GetBuildInfo() { return kBuildInfo; }

}  // namespace smallmind
