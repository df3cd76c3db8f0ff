// The variant table as the build hands it to the harness (variants/manifest.json): any text gives a
// manifest whose variants can be selected, or BadInput.
//
//   scripts/fuzz 600 manifest_fuzz
//
// Seeds: the manifest of a real build and the cases of manifest_test.cc. The table itself is read
// by variants/table.py alone; variants/test_table_fuzz.py does the same to that.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "harness/error.h"
#include "harness/manifest.h"

namespace smallmind::harness {
namespace {

void Check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "manifest_fuzz: %s\n", what);
  std::abort();
}

bool Finds(const Manifest& manifest, const std::string& wanted) {
  try {
    return !SelectVariants(manifest, wanted).empty();
  } catch (const RunError&) {  // nothing of it is built
    return false;
  }
}

void TryManifest(const std::string& text) {
  try {
    const Manifest manifest = ParseManifest(text, "manifest.json", "/build");
    Check(!manifest.variants.empty(), "a manifest without variants was taken");
    bool any_built = false;
    for (const VariantInfo& variant : manifest.variants) {
      Json(variant).dump(-1, ' ', false, Json::error_handler_t::replace);
      const bool built = variant.status == "built";
      any_built = any_built || built;
      Check(!built || Finds(manifest, variant.name), "a variant is not found by its name");
    }
    Check(Finds(manifest, "all") == any_built, "all finds nothing");
  } catch (const BadInput&) {
  }
}

}  // namespace
}  // namespace smallmind::harness

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  smallmind::harness::TryManifest(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
