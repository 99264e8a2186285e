#include "cloud/launch_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "api/names.h"

namespace joiner::cloud {
namespace {

constexpr std::size_t kLongestGroupId = 64;

}  // namespace

std::string written(const LaunchGroup& group) {
    return fmt::format("{}/{}", group.id, group.count);
}

std::optional<LaunchGroup> launch_group_of(const api::NodeClaim& claim) {
    const std::string_view text = api::find_or_empty(claim.meta.annotations, api::kLaunchGroupAnnotation);
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos || slash == 0 || slash > kLongestGroupId) return std::nullopt;
    LaunchGroup out{std::string(text.substr(0, slash)), 0};
    const bool is_plain = std::all_of(out.id.begin(), out.id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    const std::string_view count = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), out.count);
    const bool is_read = error == std::errc() && end == count.data() + count.size();
    if (!is_plain || !is_read || out.count < 2 || out.count > kMostInALaunchGroup) return std::nullopt;
    return out;
}

}  // namespace joiner::cloud
