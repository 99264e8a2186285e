#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/simulation.h"

namespace joiner::cli {

int refuse(const std::string& message) {
    fmt::print(stderr, "joiner: {}\n", message);
    return 2;
}

int run_simulate(const SimulateOptions& options) {
    std::vector<std::string> warnings;
    const auto simulation = simulate(options, warnings);
    for (const std::string& warning : warnings) fmt::print(stderr, "joiner: warning: {}\n", warning);
    if (!simulation) return refuse(simulation.error().message);
    if (options.output == "json") {
        print_json(*simulation, warnings);
    } else if (options.output == "html") {
        print_html(*simulation, warnings);
    } else {
        print_table(*simulation);
    }
    return 0;
}

}  // namespace joiner::cli
