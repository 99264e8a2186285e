// Where a service of AWS answers, and which region its requests are signed for. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cloud/ec2/aws/environment.h"

namespace joiner::cloud::ec2::aws {

enum class Service { kEc2, kIam, kSts, kSqs, kSsm, kEks, kPricing, kZonalShift, kEventBridge, kSavingsPlans };

// The name in signatures and messages: "ec2".
std::string_view name_of(Service service);

struct ServiceEndpoint {
    std::string url;             // "https://ec2.eu-west-1.amazonaws.com", no slash at the end.
    std::string signing_region;  // "eu-west-1"
};

class Endpoints {
  public:
    // Region, FIPS, dual stack and endpoint URLs as AWS's tools read them. `region`: where the environment
    // names none.
    static Result<Endpoints> read(const Environment& environment, std::string region);

    ServiceEndpoint of(Service service) const;
    const std::string& region() const { return region_; }
    // "aws", "aws-cn", "aws-us-gov", ...
    std::string_view partition() const;

  private:
    std::string region_;
    bool uses_fips_ = false;
    bool uses_dual_stack_ = false;
    std::string url_;                          // For every service; empty: none is set.
    std::map<std::string, std::string> urls_;  // By service.
};

// Empty where the environment names none.
std::string region_in(const Environment& environment);

}  // namespace joiner::cloud::ec2::aws
