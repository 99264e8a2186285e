// What EC2 has said of this cluster's instances, kept for those who cannot wait for an answer: what is not
// known yet, or is some minutes old, is asked for while they go on. Borrows the loop and the instances. Loop
// thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cloud/ec2/instances/instances.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

struct InstanceFacts {
    std::string subnet;
    std::vector<std::string> security_groups;  // Ids, in order.
    std::string reservation = {};              // That it was launched into and is in; empty: none.

    friend bool operator==(const InstanceFacts&, const InstanceFacts&) = default;
};
InstanceFacts facts_of(const InstanceInfo& info);

class KnownInstances {
  public:
    KnownInstances(io::Loop& loop, Instances& instances) : loop_(loop), instances_(instances) {}
    ~KnownInstances() { *is_alive_ = false; }
    KnownInstances(const KnownInstances&) = delete;
    KnownInstances& operator=(const KnownInstances&) = delete;

    // nullptr: EC2 has not said yet, or knows no such instance.
    const InstanceFacts* find(const std::string& id);
    // Whether what find() has is not older than this. If it is, the next find() asks anew.
    bool is_as_fresh_as(const std::string& id, Duration age);
    // EC2 has said so in answer to somebody else.
    void note(const std::vector<InstanceInfo>& instances);

  private:
    struct Entry {
        std::optional<InstanceFacts> facts;
        Duration said_at{0};
        Duration ask_at{0};
        Duration wanted_at{0};
    };
    void ask(const std::string& id);
    void forget_unwanted();

    io::Loop& loop_;
    Instances& instances_;
    std::map<std::string, Entry> entries_;  // By id.
    Duration swept_at_{0};
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
