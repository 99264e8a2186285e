// What `joiner doctor` says: of a cluster's resource definitions, and of all its checks as text and as JSON.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cloud/ec2/doctor/doctor.h"

namespace joiner::cli {

using cloud::ec2::Check;

// A line each, with the cure of what failed, and a last one that counts.
std::string doctor_text(const std::vector<Check>& checks);
std::string doctor_json(const std::vector<Check>& checks);
bool has_failed(const std::vector<Check>& checks);

// Of a custom resource definition as the API server has it (JSON), held against ours (YAML): that it is
// there, serves our versions, and has all our fields.
Check check_crd(const std::string& name, std::string_view ours_yaml, std::string_view theirs_json);

// Other controllers that hold a lease of Karpenter's: they would read the same queue. `leases`: a list, JSON.
Check check_leases(std::string_view leases, WallTime now);

}  // namespace joiner::cli
