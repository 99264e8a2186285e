// The forms of EC2's larger requests. Their names do not follow the API's (docs of the query protocol). Pure.
#pragma once

#include <string>

#include "cloud/ec2/aws/form.h"
#include "cloud/ec2/calls/ec2.h"

namespace joiner::cloud::ec2 {

inline constexpr std::string_view kEc2Version = "2016-11-15";

void add_filters(aws::Form& form, const Filters& filters);
void add_tag_specification(aws::Form& form, const std::string& prefix, int number, std::string_view resource,
                           const api::StringMap& tags);
aws::Form launch_template_form(const LaunchTemplateRequest& request);
aws::Form fleet_form(const FleetRequest& request);

}  // namespace joiner::cloud::ec2
