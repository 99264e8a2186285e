// Who we are to AWS for a while. A value; any thread. Never printed.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"

namespace joiner::cloud::ec2::aws {

struct Credentials {
    std::string access_key;
    std::string secret_key;
    std::string session_token = {};        // Empty: lasting ones.
    std::optional<WallTime> expires = {};  // nullopt: they do not.

    friend bool operator==(const Credentials&, const Credentials&) = default;
};

}  // namespace joiner::cloud::ec2::aws
