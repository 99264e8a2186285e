// The launch templates of this cluster: made once by content, kept while they are in use, and taken away when
// they have not been for a while, whoever made them. Borrows the loop and the calls. Loop thread.
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
    LaunchTemplates(io::Loop& loop, Ec2& ec2, std::string cluster_name)
        : loop_(loop), ec2_(ec2), cluster_name_(std::move(cluster_name)) {}
    ~LaunchTemplates() { *is_alive_ = false; }
    LaunchTemplates(const LaunchTemplates&) = delete;
    LaunchTemplates& operator=(const LaunchTemplates&) = delete;

    // A value once each of them is there. May come from inside the call, where all of them are.
    void ensure(const std::vector<LaunchTemplateRequest>& requests, aws::Done<void> done);
    // It is gone, whoever took it away; it is made again when it is asked for.
    void forget(const std::string& name);
    // To be called often: each minute, those that nobody has used for a minute are deleted, also those that
    // were there before us. Asks nothing where there can be none, and does nothing while one is being made.
    void sweep();
    // All that were made for the class.
    void remove_all(const std::string& class_name, aws::Done<void> done);

  private:
    struct Entry {
        bool is_there = false;
        bool is_going = false;  // Is being deleted; who wants it waits.
        Duration used{0};
        // While it is being made, or is going.
        std::vector<std::function<void(const aws::Answer<void>&)>> waiting;
        LaunchTemplateRequest request;  // Of those that wait.
    };
    void ensure_one(const LaunchTemplateRequest& request, aws::Done<void> done);
    void make(const std::string& name);
    void sweep(const std::vector<LaunchTemplate>& all);
    void remove(const LaunchTemplate& which, aws::Done<void> done);
    Filters of_cluster() const;

    io::Loop& loop_;
    Ec2& ec2_;
    const std::string cluster_name_;
    std::map<std::string, Entry> entries_;
    // When a template that we did not make was first seen.
    std::map<std::string, Duration> seen_;
    bool has_looked_ = false;  // For those of a process before us.
    Duration no_sweep_before_{0};
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
