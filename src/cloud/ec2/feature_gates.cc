#include "cloud/ec2/feature_gates.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

namespace joiner::cloud::ec2 {
namespace {

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

bool is_one_of(std::string_view text, const std::array<std::string_view, 6>& words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

}  // namespace

Result<AwsFeatureGates> parse_aws_feature_gates(std::string_view text) {
    AwsFeatureGates out;
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        const std::string_view entry = trimmed(text.substr(0, comma));
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
        if (entry.empty()) continue;
        const std::size_t equals = std::min(entry.find('='), entry.size());
        const std::string_view value = trimmed(entry.substr(std::min(equals + 1, entry.size())));
        const bool is_on = is_one_of(value, {"true", "True", "TRUE", "t", "T", "1"});
        if (!is_on && !is_one_of(value, {"false", "False", "FALSE", "f", "F", "0"}))
            return invalid(fmt::format("\"{}\" is not a gate's name=true or name=false", entry));
        const std::string_view name = trimmed(entry.substr(0, equals));
        if (name == "RebootForRepair") out.reboot_for_repair = is_on;
        if (name == "NodeClassCEL") out.node_class_cel = is_on;
    }
    return out;
}

}  // namespace joiner::cloud::ec2
