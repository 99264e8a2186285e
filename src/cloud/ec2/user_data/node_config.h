// The document that nodeadm of AL2023's images reads (node.eks.aws/v1alpha1, NodeConfig). Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "cloud/ec2/user_data/user_data.h"

namespace joiner::cloud::ec2 {

inline constexpr std::string_view kNodeConfigType = "application/node.eks.aws";

std::string node_config(const Bootstrap& bootstrap);
// Whether the user's text is such a document, and not a script.
bool is_node_config(const std::string& text);

}  // namespace joiner::cloud::ec2
