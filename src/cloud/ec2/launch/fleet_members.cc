#include "cloud/ec2/launch/fleet_members.h"

#include <algorithm>

#include "cloud/ec2/aws/encoding.h"

namespace joiner::cloud::ec2 {
namespace {

constexpr std::size_t kShort = 11;
// Of a tag's value, as EC2 allows.
constexpr std::size_t kMostInATag = 256;
static_assert(kShort + kMostMembers * (kShort + 1) <= kMostInATag);

std::string short_form(std::string_view uid) {
    return aws::hex(aws::sha256(uid)).substr(0, kShort);
}

}  // namespace

std::string members_tag(std::string_view client_token, const std::vector<std::string>& uids) {
    std::string out(client_token.substr(0, kShort));
    char before = ':';
    for (const std::string& uid : uids) {
        out += before + short_form(uid);
        before = '.';
    }
    return out;
}

std::size_t member_count(std::string_view tag) {
    const std::size_t colon = tag.find(':');
    if (colon == std::string_view::npos || tag.size() > kMostInATag) return 0;
    return 1 + static_cast<std::size_t>(std::count(tag.begin(), tag.end(), '.'));
}

std::string_view fleet_in_tag(std::string_view tag_or_token) {
    return tag_or_token.substr(0, kShort);
}

std::optional<std::size_t> place_among_members(std::string_view tag, std::string_view uid) {
    const std::size_t count = member_count(tag);
    const std::string wanted = short_form(uid);
    std::string_view rest = count == 0 ? std::string_view() : tag.substr(tag.find(':') + 1);
    for (std::size_t place = 0; place < count; ++place) {
        const std::size_t end = std::min(rest.find('.'), rest.size());
        if (rest.substr(0, end) == wanted) return place;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return std::nullopt;
}

}  // namespace joiner::cloud::ec2
