// The one call that we make to STS by name: whose credentials ours are. See calls/ec2.h.
#pragma once

#include <string>

#include "cloud/ec2/aws/error.h"

namespace joiner::cloud::ec2 {

namespace aws {
class Client;
}

class Sts {
  public:
    explicit Sts(aws::Client& client) : client_(client) {}
    // The ARN. Needs no permission.
    void get_caller_identity(aws::Done<std::string> done);

  private:
    aws::Client& client_;
};

}  // namespace joiner::cloud::ec2
