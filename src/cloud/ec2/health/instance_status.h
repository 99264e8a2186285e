// Looks each minute which instances EC2 itself calls sick, or has plans for, and reports them. Only what the
// details say counts: an answer may hold instances that no filter asked for. Borrows the calls. Loop thread.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cloud/ec2/calls/ec2.h"
#include "cloud/reports.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

class InstanceStatusWatch {
  public:
    InstanceStatusWatch(io::Loop& loop, Ec2& ec2, Reports& reports)
        : loop_(loop), ec2_(ec2), reports_(reports) {}
    ~InstanceStatusWatch() { *is_alive_ = false; }
    InstanceStatusWatch(const InstanceStatusWatch&) = delete;
    InstanceStatusWatch& operator=(const InstanceStatusWatch&) = delete;

    // From now on, until EC2 says that we may not ask. Does nothing the second time.
    void start();

  private:
    using Sick = std::set<std::pair<std::string, std::string>>;  // Instance ids, by what they suffer from.
    void look();
    void report(const std::vector<InstanceHealth>& found, Sick& sick);
    void finish(bool may_ask, bool is_complete, Sick sick);

    io::Loop& loop_;
    Ec2& ec2_;
    Reports& reports_;
    bool is_started_ = false;
    Sick counted_;  // In the metric, as long as they are so.
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

// What is wrong with an instance, as it must be acted upon: the category as metrics name it, and the event
// without the provider id. nullopt: nothing that counts. Pure.
struct Sickness {
    std::string category;
    InstanceEvent event;
};
std::optional<Sickness> sickness_of(const InstanceHealth& health, WallTime now);

}  // namespace joiner::cloud::ec2
