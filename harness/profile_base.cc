#include "harness/profile_base.h"

namespace smallmind::harness {
namespace {

// A column that the record keeps only in the manifest's own row.
Json Raw(const VariantInfo& v, const char* column) {
  return v.raw.is_object() ? v.raw.value(column, Json()) : Json();
}

}  // namespace

std::string ProfileBase(const RunInfo& run, const VariantInfo& variant) {
  std::string base;
  for (const VariantInfo& v : run.variants) {
    if (v.kind != VariantKind::kVariant || v.status != "built" || v.pgo != "none") continue;
    if (v.toolchain != variant.toolchain || v.isa != variant.isa || v.lto != variant.lto ||
        v.dispatch != variant.dispatch) {
      continue;
    }
    if (Raw(v, "opt") != Raw(variant, "opt") || Raw(v, "link") != Raw(variant, "link") ||
        Raw(v, "post") != Raw(variant, "post")) {
      continue;
    }
    if (base.empty() || v.name == run.reference) base = v.name;
  }
  return base.empty() ? run.reference : base;
}

}  // namespace smallmind::harness
