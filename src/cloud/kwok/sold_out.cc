#include "cloud/kwok/sold_out.h"

#include <algorithm>

namespace joiner::cloud::kwok {
namespace {

constexpr std::string_view kAny = "*";

// The text up to the separator, which is taken off its front with it.
std::string_view take_until(std::string_view& text, char separator) {
    const std::string_view out = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), out.size() + 1));
    return out;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(' ');
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool matches(std::string_view pattern, std::string_view value) {
    return pattern.empty() || pattern == kAny || pattern == value;
}

}  // namespace

SoldOut::SoldOut(std::string_view annotation) {
    while (!annotation.empty()) {
        std::string_view entry = trimmed(take_until(annotation, ','));
        if (entry.empty()) continue;
        const std::string_view type = take_until(entry, '/');
        const std::string_view zone = take_until(entry, '/');
        entries_.push_back({std::string(type), std::string(zone), std::string(entry)});
    }
}

bool SoldOut::covers(const rules::InstanceType& type, const rules::Offering& offering) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return matches(entry.type, type.name) && matches(entry.zone, offering.zone()) &&
               matches(entry.capacity_type, offering.capacity_type());
    });
}

}  // namespace joiner::cloud::kwok
