// What `info -m` says about a model file: also one that this engine cannot run, or a bare
// vocabulary.
#pragma once

#include <string>

#include "engine/gguf/gguf.h"

namespace smallmind {

struct ModelReport {
  std::string text;     // for people: summary, metadata, tensors
  std::string json;     // one object
  std::string problem;  // why it cannot run; empty where it can
};

ModelReport ReportModel(const GgufFile& file);

}  // namespace smallmind
