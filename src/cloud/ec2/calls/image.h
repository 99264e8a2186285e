// What EC2 says of a machine image (DescribeImages). Value type; any thread.
#pragma once

#include <optional>
#include <string>

#include "api/meta.h"
#include "base/time.h"

namespace joiner::cloud::ec2 {

struct Image {
    std::string id;
    std::string name;
    std::string owner;
    std::string architecture;  // "x86_64", "arm64"; empty: not said.
    std::string state;
    WallTime created = kNoTime;
    std::optional<WallTime> deprecated_at;
    api::StringMap tags;

    friend bool operator==(const Image&, const Image&) = default;
};

}  // namespace joiner::cloud::ec2
