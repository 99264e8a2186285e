// The launch templates of this cluster: made once by content, kept while they are in use, and taken away when
// they have not been for a while. Borrows the loop and the calls. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cloud/ec2/calls/ec2.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

class LaunchTemplates {
  public:
    LaunchTemplates(io::Loop& loop, Ec2& ec2) : loop_(loop), ec2_(ec2) {}
    ~LaunchTemplates() { *is_alive_ = false; }
    LaunchTemplates(const LaunchTemplates&) = delete;
    LaunchTemplates& operator=(const LaunchTemplates&) = delete;

    // A value once each of them is there. May come from inside the call, where all of them are.
    void ensure(const std::vector<LaunchTemplateRequest>& requests, aws::Done<void> done);
    // It is gone, whoever took it away; it is made again when it is asked for.
    void forget(const std::string& name);
    // Those of ours that nobody has used for `idle` are deleted. `tags`: how ours are known.
    void sweep(const Filters& tags, Duration idle, aws::Done<void> done);

  private:
    struct Entry {
        bool is_there = false;
        Duration used{0};
        std::vector<std::function<void(const aws::Answer<void>&)>> waiting;  // While it is being made.
    };
    void ensure_one(const LaunchTemplateRequest& request, aws::Done<void> done);

    io::Loop& loop_;
    Ec2& ec2_;
    std::map<std::string, Entry> entries_;
    // When a template that we did not make was first seen.
    std::map<std::string, Duration> seen_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
