// The files that AWS's tools share (~/.aws/config, ~/.aws/credentials): named profiles of settings. Pure; any
// thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace joiner::cloud::ec2::aws {

// Keys in lower case. A nested setting, `[services]`' endpoints by service, is "ec2.endpoint_url".
using Profile = std::map<std::string, std::string>;

struct ProfileFiles {
    std::map<std::string, Profile> profiles;
    std::map<std::string, Profile> services;  // `[services NAME]` of the config file.

    const Profile* find(const std::string& name) const {
        const auto it = profiles.find(name);
        return it == profiles.end() ? nullptr : &it->second;
    }
};

// What stands in both has the value of the credentials file. Errors name the file and the line, and quote
// nothing.
Result<ProfileFiles> parse_profile_files(std::string_view config, std::string_view credentials);

}  // namespace joiner::cloud::ec2::aws
