// How calls to AWS went, as metrics: under the names and labels of the ones that AWS's SDK has in Karpenter.
// Borrows the reports. Loop thread.
#pragma once

#include <string>

#include "cloud/ec2/aws/client.h"
#include "cloud/reports.h"

namespace joiner::cloud::ec2 {

class CallMetrics final : public aws::CallListener {
  public:
    explicit CallMetrics(Reports& reports) : reports_(reports) {}

    void request_ended(aws::Service service, const std::string& call, int code, Duration took) override;
    void call_ended(aws::Service service, const std::string& call, int code, Duration took,
                    int requests) override;

  private:
    Reports& reports_;
};

}  // namespace joiner::cloud::ec2
