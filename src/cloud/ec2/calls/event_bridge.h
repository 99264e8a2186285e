// The two calls that we make to EventBridge, both of the doctor's: which rules of the default bus have a
// target, and what a rule lets through. See calls/ec2.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cloud/ec2/aws/error.h"

namespace joiner::cloud::ec2 {

namespace aws {
class Client;
}

struct EventRule {
    std::string pattern;  // JSON; empty: it goes by the clock.
    bool is_enabled = false;
};

// Whether events of this kind get through the rule. Of what a pattern may ask of a field, exact values and
// prefixes are read; what it asks of an event's detail is passed over.
bool lets_through(const EventRule& rule, std::string_view source, std::string_view detail_type);

class EventBridge {
  public:
    explicit EventBridge(aws::Client& client) : client_(client) {}
    // A hundred at most.
    void rules_of_target(const std::string& arn, aws::Done<std::vector<std::string>> done);
    void describe_rule(const std::string& name, aws::Done<EventRule> done);

  private:
    aws::Client& client_;
};

}  // namespace joiner::cloud::ec2
