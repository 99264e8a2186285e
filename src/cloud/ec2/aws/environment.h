// What AWS's tools read before they call anybody: environment variables and the profile that those choose.
// A value; any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cloud/ec2/aws/profile_files.h"

namespace joiner::cloud::ec2::aws {

struct Environment {
    std::map<std::string, std::string> variables;
    ProfileFiles files;

    // Empty where it is not set.
    std::string variable(const std::string& name) const {
        const auto it = variables.find(name);
        return it == variables.end() ? std::string() : it->second;
    }
    bool names_a_profile() const { return !profile_name_set().empty(); }
    std::string profile_name() const {
        const std::string set = profile_name_set();
        return set.empty() ? "default" : set;
    }
    // Of the chosen profile; empty where it is not set.
    std::string profile_setting(const std::string& key) const {
        const Profile* profile = files.find(profile_name());
        if (profile == nullptr) return {};
        const auto it = profile->find(key);
        return it == profile->end() ? std::string() : it->second;
    }
    // The variable, else the profile's setting.
    std::string setting(const std::string& variable_name, const std::string& key) const {
        const std::string value = variable(variable_name);
        return value.empty() ? profile_setting(key) : value;
    }

  private:
    std::string profile_name_set() const {
        const std::string name = variable("AWS_PROFILE");
        return name.empty() ? variable("AWS_DEFAULT_PROFILE") : name;
    }
};

// Of this process: its variables that begin with AWS_, and the files that they or $HOME lead to. A file that
// is not there is no error.
Result<Environment> read_environment();

}  // namespace joiner::cloud::ec2::aws
