// Tested on small manifests with skipped rows, groups, unknown names and broken JSON
// (manifest_test.cc).
#include "harness/manifest.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "harness/error.h"
#include "harness/json_number.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

// Flags may be a string or a boolean in a row; a record keeps text.
std::string FieldText(const Json& row, const char* field) {
  const auto it = row.find(field);
  if (it == row.end() || it->is_null()) return "";
  if (it->is_string()) return it->get<std::string>();
  if (it->is_boolean()) return it->get<bool>() ? "on" : "off";
  return it->dump();
}

// Names become folders, file names and items of comma-separated lists.
void CheckName(const std::string& name, const std::vector<VariantInfo>& before) {
  const bool plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
  if (name.empty() || !plain) {
    throw BadInput("variant name \"" + name + "\" is not letters, digits, '-' and '_'");
  }
  for (const VariantInfo& variant : before) {
    if (variant.name == name) throw BadInput("there are two variants " + name);
  }
}

VariantInfo ReadRow(const Json& row, const Manifest& manifest, const fs::path& build_dir) {
  VariantInfo variant;
  variant.name = row.at("name").get<std::string>();
  CheckName(variant.name, manifest.variants);
  variant.title = FieldText(row, "title");
  if (variant.title.empty()) variant.title = variant.name;
  variant.status = Field(row, "status", std::string("built"));
  variant.reason = FieldText(row, "reason");
  if (const std::string binary = FieldText(row, "binary"); !binary.empty()) {
    variant.binary = (build_dir / binary).lexically_normal().string();
  }
  variant.toolchain = FieldText(row, "toolchain");
  if (variant.toolchain.empty()) variant.toolchain = manifest.toolchain;
  variant.compiler = FieldText(row, "compiler");
  if (variant.compiler.empty()) variant.compiler = manifest.compiler;
  variant.flags = FieldText(row, "flags");
  variant.isa = FieldText(row, "isa");
  variant.lto = FieldText(row, "lto");
  variant.pgo = FieldText(row, "pgo");
  variant.dispatch = FieldText(row, "dispatch");
  variant.group = FieldText(row, "group");
  variant.guide_row = FieldText(row, "guide_row");
  variant.expected_target = FieldText(row, "expected_target");
  variant.git = manifest.git;
  variant.dirty = manifest.dirty;
  if (const auto it = row.find("build_seconds"); it != row.end() && it->is_number()) {
    variant.build_seconds = it->get<double>();
  }
  if (const auto it = row.find("pgo_coverage"); it != row.end() && it->is_number()) {
    variant.pgo_coverage = it->get<double>();
  }
  variant.raw = row;
  return variant;
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

std::string KnownNames(const Manifest& manifest) {
  std::string names, groups;
  std::vector<std::string> seen;
  for (const VariantInfo& variant : manifest.variants) {
    names += (names.empty() ? "" : ", ") + variant.name;
    if (variant.group.empty() || std::ranges::find(seen, variant.group) != seen.end()) continue;
    seen.push_back(variant.group);
    groups += ", " + variant.group;
  }
  return "known: " + names + "; groups: all" + groups;
}

}  // namespace

Manifest ParseManifest(const std::string& text, const std::string& path,
                       const fs::path& build_dir) {
  Manifest manifest;
  manifest.path = path;
  try {
    const Json json = Json::parse(text);
    if (Field(json, "schema", 0) != 1) throw BadInput("schema is not 1");
    manifest.toolchain = FieldText(json, "toolchain");
    manifest.compiler = FieldText(json, "compiler");
    manifest.git = FieldText(json, "git");
    if (const auto it = json.find("dirty"); it != json.end()) {
      manifest.dirty = it->is_boolean() && it->get<bool>();
    }
    for (const Json& row : json.at("variants")) {
      manifest.variants.push_back(ReadRow(row, manifest, build_dir));
    }
  } catch (const std::exception& error) {
    throw BadInput(manifest.path + ": " + error.what());
  }
  if (manifest.variants.empty()) throw BadInput(manifest.path + ": no variants");
  return manifest;
}

Manifest ReadManifest(const fs::path& build_dir) {
  const std::string path = (build_dir / "variants" / "manifest.json").string();
  std::ifstream file(path);
  if (!file) throw BadInput(path + ": cannot be read; build the variants first (make compare)");
  std::stringstream text;
  text << file.rdbuf();
  return ParseManifest(text.str(), path, build_dir);
}

Manifest ReadManifests(const std::vector<std::string>& files) {
  Manifest all;
  for (const std::string& file : files) {
    const fs::path path = fs::absolute(file);
    if (path.filename() != "manifest.json" || path.parent_path().filename() != "variants") {
      throw BadInput(file + ": a manifest is BUILD/variants/manifest.json");
    }
    Manifest manifest = ReadManifest(path.parent_path().parent_path());
    if (all.variants.empty()) {
      all = std::move(manifest);
      continue;
    }
    for (VariantInfo& variant : manifest.variants) {
      variant.name += "@" + manifest.toolchain;
      variant.title += " (" + manifest.toolchain + ")";
      all.variants.push_back(std::move(variant));
    }
  }
  return all;
}

fs::path BuildDirectory() { return fs::canonical("/proc/self/exe").parent_path().parent_path(); }

std::vector<VariantInfo> SelectVariants(const Manifest& manifest, const std::string& wanted) {
  const std::vector<std::string> parts = Split(wanted);
  if (parts.empty()) throw RunError("--variants is empty; " + KnownNames(manifest));
  std::vector<bool> chosen(manifest.variants.size(), false);
  for (const std::string& part : parts) {
    bool found = false;
    for (size_t i = 0; i < manifest.variants.size(); ++i) {
      const VariantInfo& variant = manifest.variants[i];
      const bool twin = variant.name.starts_with(part + "@");
      if (part != "all" && part != variant.name && part != variant.group && !twin) continue;
      chosen[i] = found = true;
    }
    if (!found) throw RunError("unknown variant \"" + part + "\"; " + KnownNames(manifest));
  }
  std::vector<VariantInfo> selected;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i]) selected.push_back(manifest.variants[i]);
  }
  const bool any_built = std::ranges::any_of(
      selected, [](const VariantInfo& variant) { return variant.status == "built"; });
  if (!any_built) {
    throw RunError("no variant of \"" + wanted + "\" is built; first: " + selected[0].name + ": " +
                   selected[0].reason);
  }
  return selected;
}

}  // namespace smallmind::harness
