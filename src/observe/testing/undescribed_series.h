// Holds what a metrics page says to the table of metrics, for tests.
#pragma once

#include <set>
#include <sstream>
#include <string>

#include "observe/described_metric.h"

namespace joiner::observe {

// Series whose type or labels are not those that are described, as "name{labels}: type".
inline std::set<std::string> undescribed_series(const std::string& page) {
    constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram", "summary"};
    std::set<std::string> out;
    std::istringstream lines(page);
    std::string type;
    std::string family;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("# TYPE ")) {
            std::istringstream(line.substr(7)) >> family >> type;
            if (family.starts_with("karpenter_")) family.erase(0, 10);
        }
        if (line.empty() || line[0] == '#') continue;
        // Only the keys count: a value is skipped with what it escapes.
        std::string keys;
        const std::size_t open = line.find('{');
        for (std::size_t at = open; at != std::string::npos && line[at] != '}';) {
            const std::size_t equals = line.find("=\"", at);
            const std::string key = line.substr(at + 1, equals - at - 1);
            at = equals + 2;
            while (line[at] != '"') at += line[at] == '\\' ? 2 : 1;
            ++at;
            const bool is_of_type = key == "le" || key == "quantile";
            const bool is_of_kind = family.starts_with("operator_") &&
                                    (key.starts_with("karpenter_") || key.ends_with("nodeclass"));
            if (!is_of_type && !is_of_kind) keys += (keys.empty() ? "" : " ") + key;
        }
        const DescribedMetric* described = described_metric(family);
        if (described == nullptr || described->labels != keys ||
            kTypes[static_cast<std::size_t>(described->type)] != type)
            out.insert(family + "{" + keys + "}: " + type);
    }
    return out;
}

}  // namespace joiner::observe
