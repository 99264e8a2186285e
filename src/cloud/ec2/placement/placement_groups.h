// The placement groups that classes select. A class's status has no place for them, so they are asked for
// with the class and kept here; a last good answer stands for a day where EC2 does not answer. Borrows the
// calls. Loop thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cloud/ec2/calls/ec2.h"
#include "cloud/ec2/node_class.h"
#include "cloud/reports.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

class PlacementGroups {
  public:
    PlacementGroups(io::Loop& loop, Ec2& ec2, Reports& reports) : loop_(loop), ec2_(ec2), reports_(reports) {}
    ~PlacementGroups() { *is_alive_ = false; }
    PlacementGroups(const PlacementGroups&) = delete;
    PlacementGroups& operator=(const PlacementGroups&) = delete;

    // nullopt: EC2 has no such group that is available.
    void look(const PlacementGroupSelector& selector, aws::Done<std::optional<PlacementGroup>> done);
    // As it was found last; nullopt: it is not known.
    std::optional<PlacementGroup> find(const PlacementGroupSelector& selector) const;

  private:
    using Key = std::pair<std::string, std::string>;  // Id and name.
    struct Found {
        PlacementGroup group;
        Duration at{0};
    };

    io::Loop& loop_;
    Ec2& ec2_;
    Reports& reports_;
    std::map<Key, Found> found_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
