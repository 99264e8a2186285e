// Which subnet of a zone a machine is put in: the one with the most addresses that are free. What has been
// launched since EC2 said so is counted. Loop thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cloud/ec2/calls/network.h"
#include "cloud/ec2/class_status.h"

namespace joiner::cloud::ec2 {

class SubnetChoice {
  public:
    void note(const std::vector<Subnet>& subnets) {
        for (const Subnet& subnet : subnets) free_[subnet.id] = subnet.free_addresses;
    }
    void used(const std::string& id, int addresses) {
        if (const auto it = free_.find(id); it != free_.end()) it->second -= addresses;
    }
    void is_full(const std::string& id) { free_[id] = 0; }

    // By zone. A subnet that has no free address is left out; one of which nothing is known yet is not.
    std::map<std::string, std::string> choose(const ClassStatus& status) const {
        std::map<std::string, std::string> out;
        std::map<std::string, int> most;
        for (const StatusSubnet& subnet : status.subnets) {
            const auto known = free_.find(subnet.id);
            const int free = known == free_.end() ? 1 : known->second;
            if (free <= 0 || free <= most[subnet.zone]) continue;
            most[subnet.zone] = free;
            out[subnet.zone] = subnet.id;
        }
        return out;
    }

  private:
    std::map<std::string, int> free_;
};

}  // namespace joiner::cloud::ec2
