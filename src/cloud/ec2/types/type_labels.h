// The labels by which EC2's types are chosen: karpenter.k8s.aws/instance-cpu and the like. Each type says
// something of every key; a key without a fact must not be there. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cloud/ec2/calls/instance_type_info.h"
#include "cloud/ec2/names.h"
#include "rules/requirement.h"

namespace joiner::cloud::ec2 {

inline constexpr std::string_view kLabelDomain = kGroup;
inline constexpr std::string_view kEksAutoDomain = "eks.amazonaws.com";

// Of one domain, added to the requirements of one type.
class TypeLabels {
  public:
    TypeLabels(std::string_view domain, rules::Requirements& out) : domain_(domain), out_(out) {}

    // Absent where the value is empty.
    void set(std::string_view name, std::string value);
    void set(std::string_view name, std::int64_t value) { set(name, std::to_string(value)); }
    void set_flag(std::string_view name, bool value) { set(name, std::string(value ? "true" : "false")); }
    void set_absent(std::string_view name);

  private:
    std::string key(std::string_view name) const;

    std::string_view domain_;
    rules::Requirements& out_;
};

// Of "m5.2xlarge": m5 and 2xlarge.
std::string family_of(std::string_view type);
std::string size_of(std::string_view type);
// "amd64" or "arm64", as Kubernetes calls EC2's "x86_64" and "arm64"; empty: another.
std::string_view arch_label(std::string_view architecture);
std::string_view arch_of(const InstanceTypeInfo& info);

// All but zone, capacity type, tenancy, reservations and placement, which offerings and class decide.
// `network_mbps`: baseline; 0: not known.
void add_type_labels(const InstanceTypeInfo& info, std::int64_t network_mbps, std::string_view domain,
                     rules::Requirements& out);

}  // namespace joiner::cloud::ec2
