// Scenarios of tests/scenarios/*.txt as tests read them: a world in manifests and the instance types there.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace joiner::cli {

namespace fs = std::filesystem;
using Json = nlohmann::json;

inline std::vector<std::string> words_in(const std::string& line) {
    std::istringstream in(line);
    return {std::istream_iterator<std::string>(in), {}};
}

inline std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, separator);) out.push_back(part);
    return out;
}

// "small 2 4Gi 0.10 arch=arm64 zones=a,b capacity=spot,on-demand nvidia.com/gpu=1" as an instance types file
// has it.
inline Json type_of(const std::string& line) {
    const std::vector<std::string> words = words_in(line);
    if (words.size() < 4)
        throw std::runtime_error(
            "a type is: name cpu memory price [arch=] [zones=] [capacity=] [resource=]: " + line);
    std::map<std::string, std::string> options = {
        {"arch", "amd64"}, {"zones", "a,b"}, {"capacity", "on-demand"}, {"reserved", "0"}};
    Json resources = {
        {"cpu", words[1]}, {"memory", words[2]}, {"pods", "110"}, {"ephemeral-storage", "20Gi"}};
    for (std::size_t i = 4; i < words.size(); ++i) {
        const std::size_t equals = words[i].find('=');
        const std::string key = words[i].substr(0, equals);
        const std::string value = words[i].substr(equals + 1);
        (options.contains(key) ? void(options[key] = value) : void(resources[key] = value));
    }
    Json offerings = Json::array();
    for (const std::string& zone : split(options["zones"], ',')) {
        for (const std::string& capacity_type : split(options["capacity"], ',')) {
            const auto one = [](const char* key, const std::string& value) {
                return Json{{"key", key}, {"operator", "In"}, {"values", {value}}};
            };
            offerings.push_back({{"Price", std::stod(words[3]) * (capacity_type == "spot"       ? 0.5
                                                                  : capacity_type == "reserved" ? 0.1
                                                                                                : 1.0)},
                                 {"ReservationCapacity", std::stoi(options["reserved"])},
                                 {"Available", true},
                                 {"Requirements",
                                  {one("topology.kubernetes.io/zone", zone),
                                   one("karpenter.sh/capacity-type", capacity_type)}}});
        }
    }
    return {{"name", words[0]},
            {"architecture", options["arch"]},
            {"operatingSystems", {"linux"}},
            {"resources", resources},
            {"offerings", offerings}};
}

struct Scenario {
    std::map<std::string, std::string> options;
    std::string types;
    std::string world;
    std::vector<std::string> expected;
};

inline Scenario read_scenario(const fs::path& path) {
    Scenario out;
    std::ifstream in(path);
    std::string section;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("--- ")) {
            section = line.substr(4);
        } else if (section == "types") {
            out.types += line + '\n';
        } else if (section == "world") {
            out.world += line + '\n';
        } else if (section == "expect") {
            if (!line.empty() && line[0] != '#') out.expected.push_back(line);
        } else if (section.empty() && !line.empty() && line[0] != '#') {
            const std::size_t colon = line.find(": ");
            if (colon == std::string::npos)
                throw std::runtime_error("neither a comment nor an option: " + line);
            out.options[line.substr(0, colon)] = line.substr(colon + 2);
        } else if (!section.empty()) {
            throw std::runtime_error("unknown section " + section);
        }
    }
    return out;
}

// As an instance types file.
inline std::string types_of(const Scenario& scenario) {
    const std::string lines =
        scenario.types.empty() ? "small 2 4Gi 0.10\nmedium 4 8Gi 0.20\nlarge 16 32Gi 0.70\n" : scenario.types;
    Json types = Json::array();
    for (const std::string& line : split(lines, '\n')) {
        if (!line.empty() && line[0] != '#') types.push_back(type_of(line));
    }
    return types.dump();
}

inline std::vector<fs::path> scenario_files(const fs::path& source) {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(source / "tests/scenarios")) {
        if (entry.path().extension() == ".txt") out.push_back(entry.path());
    }
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace joiner::cli
