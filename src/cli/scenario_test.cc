// Runs tests/scenarios/*.txt: a world in manifests, and the plan that `joiner simulate` must make of it. How
// such a file is written, tests/scenarios/README.md says.
#include "cli/testing/scenario.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/commands.h"

namespace joiner::cli {
namespace {

// What simulate said.
struct Outcome {
    int code = 0;
    std::string warnings;
    Json plan;
};

Outcome simulate(const Scenario& scenario, const fs::path& folder) {
    const auto write = [&](const char* name, const std::string& text) {
        std::ofstream(folder / name) << text;
        return (folder / name).string();
    };
    SimulateOptions options;
    if (!scenario.options.contains("catalogue"))
        options.instance_types = write("types.json", types_of(scenario));
    options.files = {write("world.yaml", scenario.world)};
    options.output = "json";
    for (const auto& [name, value] : scenario.options) {
        if (name == "catalogue" && value == "built-in")
            continue;
        else if (name == "preferences")
            options.preference_policy = value;
        else if (name == "schedulerConfig")
            options.scheduler_config = value;
        else if (name == "preferenceWorth")
            options.preference_worth = std::stod(value);
        else if (name == "minValues")
            options.min_values_policy = value;
        else if (name == "commitments")
            options.commitments = write("commitments.yaml", "commitments: " + value);
        else if (name == "disruption")
            options.disruption = value == "true";
        else
            throw std::runtime_error("unknown option " + name);
    }
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Outcome out;
    out.code = run_simulate(options);
    std::fflush(stdout);
    std::fflush(stderr);
    const std::string text = testing::internal::GetCapturedStdout();
    out.warnings = testing::internal::GetCapturedStderr();
    if (out.code == 0) out.plan = Json::parse(text);
    return out;
}

class Expectations {
  public:
    explicit Expectations(const Outcome& outcome) : outcome_(outcome) {
        if (outcome.code != 0) return;
        for (const Json& claim : outcome.plan["nodeClaims"]) {
            for (const std::string pod : claim["pods"]) new_node_of_[pod] = &claim;
        }
        for (const auto& [pod, node] : outcome.plan["existing"].items()) existing_[pod] = node;
        for (const auto& [pod, reason] : outcome.plan["unschedulable"].items()) waiting_[pod] = reason;
        if (outcome.plan.contains("removals")) read_removals(outcome.plan["removals"]);
    }

    // Why the line does not hold, or nothing.
    std::string check(const std::string& line) {
        const std::size_t colon = line.find(": ");
        if (colon == std::string::npos) return "is not of the form \"what: value\"";
        const std::vector<std::string> what = words_in(line.substr(0, colon));
        const std::string value = line.substr(colon + 2);
        if (what[0] == "refused")
            return outcome_.code == 2 ? contains(outcome_.warnings, value) : "it was not refused";
        if (what[0] == "warning") return contains(outcome_.warnings, value);
        if (outcome_.code != 0) return "refused: " + outcome_.warnings;
        if (what[0] == "nodes") return equal(outcome_.plan["nodes"].dump(), value);
        if (what[0] == "price")
            return equal(fmt::format("{:.2f}", outcome_.plan["pricePerHour"].get<double>()), value);
        if (what[0] == "bound")
            return equal(fmt::format("{:.2f}", outcome_.plan["lowerBoundPerHour"].get<double>()), value);
        if (what[0] == "saves") return equal(fmt::format("{:.2f}", saving_), value);
        if (what.size() != 2) return "names no pod";
        if (what[0] == "removed") {
            seen_.insert(what[1]);
            const auto it = removed_.find(what[1]);
            return it == removed_.end() ? what[1] + " is not removed" : equal(it->second, value);
        }
        if (what[0] == "together" || what[0] == "apart")
            return neighbours(what[0] == "apart", what[1], value);
        int found = 0;
        const auto& all = what[0] == "on"         ? describe_new()
                          : what[0] == "existing" ? existing_
                          : what[0] == "moves"    ? moving_
                                                  : waiting_;
        if (what[0] != "on" && what[0] != "existing" && what[0] != "waits" && what[0] != "moves")
            return "unknown word " + what[0];
        for (const auto& [pod, answer] : all) {
            if (!matches(what[1], pod)) continue;
            ++found;
            seen_.insert(pod);
            const std::string wrong = what[0] == "waits" ? contains(answer, value) : starts(answer, value);
            if (!wrong.empty()) return pod + ": " + wrong;
        }
        return found > 0 ? "" : "no such pod there; " + everything();
    }

    // Pods that wait or found room although no line says so.
    std::string unexpected() const {
        std::string out;
        for (const auto& [pod, reason] : waiting_) {
            if (!seen_.contains(pod)) out += fmt::format("{} waits: {}\n", pod, reason);
        }
        for (const auto& [pod, node] : existing_) {
            if (!seen_.contains(pod)) out += fmt::format("{} is on {}\n", pod, node);
        }
        for (const auto& [node, reason] : removed_) {
            if (!seen_.contains(node)) out += fmt::format("{} is removed: {}\n", node, reason);
        }
        return out;
    }

  private:
    using Answers = std::map<std::string, std::string>;

    static std::string place_of(const Json& claim) {
        return fmt::format("{} {} {} {}", claim["nodePool"].get<std::string>(),
                           claim["instanceType"].get<std::string>(), claim["zone"].get<std::string>(),
                           claim["capacityType"].get<std::string>());
    }
    void read_removals(const Json& removals) {
        for (const Json& removal : removals) {
            saving_ += removal["savesPerHour"].get<double>();
            for (const std::string node : removal["nodes"]) removed_[node] = removal["reason"];
            for (const auto& [pod, node] : removal["moves"].items()) moving_[pod] = node;
            for (const Json& claim : removal["nodeClaims"]) {
                for (const std::string pod : claim["pods"]) moving_[pod] = place_of(claim);
            }
        }
    }

    static bool matches(const std::string& pattern, const std::string& pod) {
        const std::string full = pattern.find('/') == std::string::npos ? "default/" + pattern : pattern;
        return fnmatch(full.c_str(), pod.c_str(), 0) == 0;
    }
    static std::string contains(const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos ? "" : "it says: " + text;
    }
    static std::string starts(const std::string& text, const std::string& part) {
        return (text + " ").starts_with(part + " ") ? "" : "it is " + text;
    }
    static std::string equal(const std::string& a, const std::string& b) {
        return a == b ? "" : "it is " + a;
    }

    Answers describe_new() const {
        Answers out;
        for (const auto& [pod, claim] : new_node_of_) {
            out[pod] = place_of(*claim);
        }
        return out;
    }
    std::string neighbours(bool apart, const std::string& pattern, const std::string& other) const {
        for (const auto& [pod, claim] : new_node_of_) {
            if (!matches(pattern, pod)) continue;
            for (const auto& [mate, its_claim] : new_node_of_) {
                if (matches(other, mate) && mate != pod && (claim == its_claim) == apart)
                    return pod + " and " + mate + " are not";
            }
        }
        return {};
    }
    std::string everything() const {
        std::string out;
        for (const auto& [pod, where] : describe_new()) out += fmt::format("on {}: {}; ", pod, where);
        for (const auto& [pod, node] : existing_) out += fmt::format("existing {}: {}; ", pod, node);
        for (const auto& [pod, reason] : waiting_) out += fmt::format("waits {}: {}; ", pod, reason);
        return out;
    }

    const Outcome& outcome_;
    std::map<std::string, const Json*> new_node_of_;
    Answers existing_;
    Answers waiting_;
    Answers removed_;  // By node, why.
    Answers moving_;
    double saving_ = 0;
    std::set<std::string> seen_;
};

class Scenarios : public testing::TestWithParam<fs::path> {};

TEST_P(Scenarios, has_the_plan_expected_of_it) {
    std::string folder_text = (fs::temp_directory_path() / "joiner-scenario-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder_text.data()), nullptr);
    const fs::path folder = folder_text;
    const Scenario scenario = read_scenario(GetParam());
    ASSERT_FALSE(scenario.expected.empty());
    const Outcome outcome = simulate(scenario, folder);
    Expectations expectations(outcome);
    for (const std::string& line : scenario.expected) {
        const std::string wrong = expectations.check(line);
        EXPECT_TRUE(wrong.empty()) << "expected \"" << line << "\": " << wrong;
    }
    EXPECT_EQ(expectations.unexpected(), "");
    fs::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(All, Scenarios, testing::ValuesIn(scenario_files(JOINER_SOURCE_DIR)),
                         [](const auto& file) { return file.param.stem().string(); });

}  // namespace
}  // namespace joiner::cli
