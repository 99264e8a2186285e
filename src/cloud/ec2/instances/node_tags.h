// The tags of an instance that has become a node: the node's name, its claim and the cluster, so that people
// find it in the console. Each is put on where it is missing, once for a claim. What nodes that come at about
// the same time lack is asked for in one call. Borrows the loop and the calls. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/karpenter.h"
#include "cloud/ec2/calls/ec2.h"
#include "cloud/ec2/instances/instances.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

class NodeTags {
  public:
    NodeTags(io::Loop& loop, Ec2& ec2, Instances& instances, std::string cluster_name)
        : loop_(loop), ec2_(ec2), instances_(instances), cluster_name_(std::move(cluster_name)) {}
    ~NodeTags() { *is_alive_ = false; }
    NodeTags(const NodeTags&) = delete;
    NodeTags& operator=(const NodeTags&) = delete;

    // The claim does not say yet that its instance has been tagged.
    static bool are_wanted(const api::NodeClaim& claim);
    // With the annotations by which the claim says so.
    void put(const api::NodeClaim& claim, std::function<void(Result<api::StringMap>)> done);

  private:
    struct Wish {
        std::string instance_id;
        api::StringMap tags;
        std::function<void(Result<api::StringMap>)> done;
    };
    void put_after(Duration wait);
    void put_now(const Wish& wish);

    io::Loop& loop_;
    Ec2& ec2_;
    Instances& instances_;
    const std::string cluster_name_;
    std::vector<Wish> waiting_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
