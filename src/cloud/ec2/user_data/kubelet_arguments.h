// The kubelet's settings as arguments of its command line, for images that take them so. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "cloud/ec2/user_data/user_data.h"

namespace joiner::cloud::ec2 {

// "key=value,key=value", sorted by key.
std::string joined(const api::StringMap& map, char between);
// "key=value:effect,…".
std::string joined(const std::vector<api::Taint>& taints);
std::string kubelet_arguments(const Bootstrap& bootstrap);
// The address that pods ask for names; empty: none is known.
std::string dns_of(const Bootstrap& bootstrap);
// In single quotes, for a shell.
std::string in_quotes(std::string_view text);

}  // namespace joiner::cloud::ec2
