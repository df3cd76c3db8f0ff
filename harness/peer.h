// Competitors that are not ours: programs that speak our protocol, print what llama-bench or
// batched-bench print (llama_bench.h), or are simply timed.
//
// --peer NAME='COMMAND' joins the same interleaved rounds. In COMMAND, {model} {prompt} {gen}
// {threads} {sequences} {repack} (1 or 0) {reps} are replaced by the workload; a command without
// {model} gets llama-bench's own flags appended: -m MODEL -p N -n N -t N -r N. COMMAND is split
// into words as a shell would, quotes and backslashes included, but no shell runs: no pipes,
// variables or globs.
//
// A COMMAND that begins with "wall:" prints nothing that is read: its wall time, from start to
// exit, is its time to the first token, so that the workload must generate one token.
#pragma once

#include <string>
#include <vector>

#include "harness/process.h"
#include "harness/record.h"

namespace smallmind::harness {

// RunError for text without '=', an empty name or command, or unbalanced quotes.
VariantInfo ParsePeer(const std::string& text);

std::vector<std::string> PeerCommand(const std::string& command, const std::string& model_path,
                                     const Workload& workload);

// A sample from whatever the peer printed; "" or why it is none. Where it reports none itself, its
// peak RSS is the kernel's figure for the process (ru_maxrss by way of the launcher), and its
// anonymous memory what was seen of it in a warm-up.
std::string MeasurePeer(const ProcessResult& result, const Workload& workload, VariantInfo& peer,
                        Sample& sample);

// A sample of one of our variants; also fills in what the binary says of itself and of the model.
std::string MeasureVariant(const std::string& out, const Workload& workload, VariantInfo& variant,
                           ModelInfo& model, Sample& sample);

}  // namespace smallmind::harness
