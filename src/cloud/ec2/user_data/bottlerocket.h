// User data of Bottlerocket: TOML, the user's own settings with ours set over them. Pure; any thread.
#pragma once

#include <string>

#include "base/result.h"
#include "cloud/ec2/user_data/user_data.h"

namespace joiner::cloud::ec2 {

// kInvalid where the user's text is no TOML.
Result<std::string> bottlerocket_settings(const Bootstrap& bootstrap);

}  // namespace joiner::cloud::ec2
