// What memory nodes of a class have said they have, by instance type and image: more exact than EC2's number
// less a share for the hypervisor. Kept in an annotation of the class, so that it outlives the process and
// the nodes. Rule: upstream's discovered capacity, which forgets at a restart. Owned by the provider. Loop
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "api/karpenter.h"
#include "cloud/ec2/calls/instance_type_info.h"

namespace joiner::cloud::ec2 {

// Bytes, by instance type and image.
using MemoryByImage = std::map<std::pair<std::string, std::string>, std::int64_t>;

// Whether a node of the type may have so much: no more than EC2 says, and half of that at least.
bool is_likely_memory(const InstanceTypeInfo& info, std::int64_t bytes);

class LearnedMemory {
  public:
    // Of a class; when there are more, those that were learned first go.
    static constexpr std::size_t kMostEntries = 300;

    // Of several nodes the least counts. Whether anything is known now that was not.
    bool note(const std::string& node_class, const std::string& type, const std::string& image,
              std::int64_t bytes);
    // Notes what the class's annotation says. What is not as it should be in it is left out.
    void read(const api::NodeClass& node_class);
    // For the annotation; empty: nothing is known.
    std::string written(const std::string& node_class) const;
    void forget(const std::string& node_class) { by_class_.erase(node_class); }

    const MemoryByImage& of(const std::string& node_class) const;
    // Another whenever something was learned.
    int version() const { return version_; }

  private:
    struct Known {
        MemoryByImage bytes;
        std::deque<MemoryByImage::key_type> order;  // Those that were learned first come first.
    };
    std::map<std::string, Known> by_class_;
    int version_ = 0;
};

}  // namespace joiner::cloud::ec2
