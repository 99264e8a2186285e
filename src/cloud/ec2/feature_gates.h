// AWS's own feature gates (--aws-feature-gates), under Karpenter's names. A value; any thread.
#pragma once

#include <string_view>

#include "base/result.h"

namespace joiner::cloud::ec2 {

struct AwsFeatureGates {
    bool reboot_for_repair = false;
    bool node_class_cel = false;  // Expressions in spec.kubelet.
};

// "RebootForRepair=true,NodeClassCEL=true,…". Gates that are not known, or that nothing here stands behind,
// are passed over.
Result<AwsFeatureGates> parse_aws_feature_gates(std::string_view text);

}  // namespace joiner::cloud::ec2
