// The built-in catalogue: EC2 instance types of us-east-1 with their facts, labels and prices, from
// data/aws-us-east-1.tsv. Pure; any thread.
#pragma once

#include <vector>

#include "rules/instance_type.h"

namespace joiner::cloud::kwok {

// Whose names the facts go by, beside those of karpenter.kwok.sh.
enum class AwsLabels {
    kKarpenter,  // karpenter.k8s.aws/instance-cpu, for EC2NodeClass and KWOKNodeClass
    kEksAuto,    // eks.amazonaws.com/instance-cpu, for NodeClass of EKS Auto Mode
};

// Spot is taken as 0.7 of the on-demand price, since spot prices are not published as a table.
std::vector<rules::InstanceType> aws_types(AwsLabels labels = AwsLabels::kKarpenter);

}  // namespace joiner::cloud::kwok
