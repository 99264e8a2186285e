// What EKS says of a cluster (DescribeCluster). Value type; any thread.
#pragma once

#include <string>

namespace joiner::cloud::ec2 {

struct EksCluster {
    std::string endpoint;
    std::string certificate_authority;  // Base64.
    std::string version;                // "1.34".
    std::string service_ipv4_cidr;      // Empty: none.
    std::string service_ipv6_cidr;
    std::string arn;

    friend bool operator==(const EksCluster&, const EksCluster&) = default;
};

}  // namespace joiner::cloud::ec2
