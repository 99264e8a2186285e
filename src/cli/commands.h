// One function a subcommand; main.cc reads the flags and calls one of them. Each returns the process's exit code and
// prints one sentence to standard error when it is not 0. Code 2: the input or the flags are wrong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace joiner::cli {

// Prints "joiner: <message>" and returns 2.
int refuse(const std::string& message);

struct SimulateOptions {
    std::vector<std::string> files;
    std::string instance_types;
    std::string output = "table";
    bool disruption = false;
    std::string preference_policy = "Respect";
    std::string min_values_policy = "Strict";
};
int run_simulate(const SimulateOptions& options);

int run_validate(const std::vector<std::string>& files);
int run_crds();

}  // namespace joiner::cli
