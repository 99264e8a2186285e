// The calls to IAM that we make: instance profiles. See calls/ec2.h.
#pragma once

#include <string>
#include <vector>

#include "cloud/ec2/aws/error.h"
#include "cloud/ec2/calls/instance_profile.h"

namespace joiner::cloud::ec2 {

namespace aws {
class Client;
}

class Iam {
  public:
    explicit Iam(aws::Client& client) : client_(client) {}

    void get_instance_profile(const std::string& name, aws::Done<InstanceProfile> done);
    // Only those below the path, whatever the answer holds.
    void list_instance_profiles(const std::string& path, aws::Done<std::vector<InstanceProfile>> done);
    // Fails with kConflict where the name is taken.
    void create_instance_profile(const InstanceProfile& profile, aws::Done<void> done);
    // A role that is in it already is no error.
    void add_role(const std::string& profile, const std::string& role, aws::Done<void> done);
    // What is gone already is no error, here and in the next.
    void remove_role(const std::string& profile, const std::string& role, aws::Done<void> done);
    void delete_instance_profile(const std::string& profile, aws::Done<void> done);

  private:
    aws::Client& client_;
};

}  // namespace joiner::cloud::ec2
