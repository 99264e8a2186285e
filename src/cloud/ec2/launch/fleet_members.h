// Which claims a fleet of several instances was asked for, as a tag of its instances says: whoever comes
// after a restart finds by it which instance is whose. Pure; any thread.
//
// The tag's value is "<fleet>:<claim>.<claim>...", with short forms of the fleet's client token and of the
// claims' uids, the uids in order. Of a fleet's instances in order of id the first is the first claim's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace joiner::cloud::ec2 {

// A tag's value holds no more of them.
inline constexpr std::size_t kMostMembers = 20;

// REQUIRES: the uids are sorted, and at most kMostMembers.
std::string members_tag(std::string_view client_token, const std::vector<std::string>& uids);
// Where the claim stands among the fleet's; nullopt: it is none of them, or the text is no such tag.
std::optional<std::size_t> place_among_members(std::string_view tag, std::string_view uid);
// How many instances the fleet was asked for; 0: the text is no such tag.
std::size_t member_count(std::string_view tag);
// Which fleet a tag speaks of, or which one tags speak of that was asked for under a client token.
std::string_view fleet_in_tag(std::string_view tag_or_token);

}  // namespace joiner::cloud::ec2
