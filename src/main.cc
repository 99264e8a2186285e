// Flags and subcommands. What a command does stands in src/cli/.
#include <CLI/CLI.hpp>
#include <exception>

#include "cli/commands.h"

namespace {

using namespace joiner::cli;

void add_simulate(CLI::App& app, int& code) {
    auto* command = app.add_subcommand("simulate", "plan for a cluster written as manifests; no cluster needed");
    auto options = std::make_shared<SimulateOptions>();
    command->add_option("-f,--filename", options->files, "manifests: a file, a folder, or - for standard input")->required();
    command->add_option("--instance-types", options->instance_types,
                        "instance types, in the form of Karpenter's KWOK provider; without it, the built-in AWS catalogue");
    command->add_option("-o,--output", options->output, "table, json or html")->check(CLI::IsMember({"table", "json", "html"}));
    command->add_flag("--disruption", options->disruption, "plan what could be removed, too");
    command->add_option("--preference-policy", options->preference_policy, "Respect or Ignore")
        ->check(CLI::IsMember({"Respect", "Ignore"}));
    command->add_option("--min-values-policy", options->min_values_policy, "Strict or BestEffort")
        ->check(CLI::IsMember({"Strict", "BestEffort"}));
    command->callback([options, &code] { code = run_simulate(*options); });
}

void add_validate(CLI::App& app, int& code) {
    auto* command = app.add_subcommand("validate", "say what is wrong in manifests");
    auto files = std::make_shared<std::vector<std::string>>();
    command->add_option("-f,--filename", *files, "manifests: a file, a folder, or - for standard input")->required();
    command->callback([files, &code] { code = run_validate(*files); });
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Joiner gives a Kubernetes cluster the nodes its pods need, at the lowest price, and takes them away again.",
                 "joiner"};
    app.require_subcommand(1);
    int code = 0;
    add_simulate(app, code);
    add_validate(app, code);
    app.add_subcommand("crds", "print the custom resource definitions")->callback([&code] { code = run_crds(); });
    app.add_subcommand("version", "print the version")->callback([] { std::puts("joiner " JOINER_VERSION); });
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp& e) {
        return app.exit(e);
    } catch (const CLI::CallForAllHelp& e) {
        return app.exit(e);
    } catch (const CLI::ParseError& e) {
        return refuse(std::string(e.what()) + "; see joiner --help");
    } catch (const std::exception& e) {
        return refuse(e.what());
    }
    return code;
}
