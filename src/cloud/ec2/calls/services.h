// The few calls that we make to other services: parameters, the cluster, prices and the queue. See
// calls/ec2.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "cloud/ec2/aws/error.h"
#include "cloud/ec2/calls/cluster.h"
#include "cloud/ec2/calls/prices.h"

namespace joiner::cloud::ec2 {

namespace aws {
class Client;
}

class Ssm {
  public:
    explicit Ssm(aws::Client& client) : client_(client) {}
    // Fails with kNotFound where there is no such parameter.
    void get_parameter(const std::string& name, aws::Done<std::string> done);

  private:
    aws::Client& client_;
};

class Eks {
  public:
    explicit Eks(aws::Client& client) : client_(client) {}
    void describe_cluster(const std::string& name, aws::Done<EksCluster> done);

  private:
    aws::Client& client_;
};

// Which price list: shared machines, or bare metal, which is listed as dedicated.
enum class PriceList { kShared, kBareMetal };

class Pricing {
  public:
    explicit Pricing(aws::Client& client) : client_(client) {}
    // What is listed as free is left out.
    void on_demand_prices(const std::string& region, PriceList list,
                          aws::Done<std::vector<OnDemandPrice>> done);

    // One price and no more: whether prices may be asked for.
    void ask_for_one(const std::string& region, aws::Done<void> done);

  private:
    aws::Client& client_;
};

struct QueueMessage {
    std::string receipt;
    std::string body;
    WallTime sent = kNoTime;
};

class Sqs {
  public:
    explicit Sqs(aws::Client& client) : client_(client) {}
    void get_queue_url(const std::string& name, aws::Done<std::string> done);
    // Waits up to 20 seconds for a first message; ten at most come at once.
    void receive(const std::string& queue_url, aws::Done<std::vector<QueueMessage>> done);
    // Empty where the answer names none.
    void get_queue_arn(const std::string& queue_url, aws::Done<std::string> done);
    // Whether the queue may be read. What it holds stays there for whoever reads it.
    void peek(const std::string& queue_url, aws::Done<void> done);
    void remove(const std::string& queue_url, const std::string& receipt, aws::Done<void> done);

  private:
    aws::Client& client_;
};

}  // namespace joiner::cloud::ec2
