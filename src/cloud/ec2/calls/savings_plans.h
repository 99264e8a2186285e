// The calls that we make to Savings Plans, which answers in one place for a whole partition. See calls/ec2.h.
#pragma once

#include <string>
#include <vector>

#include "cloud/ec2/aws/error.h"
#include "cloud/ec2/calls/commitment_answers.h"

namespace joiner::cloud::ec2 {

namespace aws {
class Client;
}

class SavingsPlans {
  public:
    explicit SavingsPlans(aws::Client& client) : client_(client) {}
    // Those that are active, of every kind and region.
    void describe_savings_plans(aws::Done<std::vector<SavingsPlan>> done);
    // By type; of a type that is listed twice the first.
    void describe_savings_plan_rates(const std::string& plan, const std::string& region,
                                     aws::Done<std::vector<SavingsPlanRate>> done);

  private:
    aws::Client& client_;
};

}  // namespace joiner::cloud::ec2
