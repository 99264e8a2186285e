// The instances of this cluster, as EC2 has them: looked up and ended many at a time. Nothing is kept between
// two questions. Borrows the loop and the calls. Loop thread.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cloud/ec2/calls/ec2.h"
#include "cloud/ec2/instances/batcher.h"
#include "cloud/reports.h"

namespace joiner::cloud::ec2 {

// What was bought for one claim and is still listed.
struct InstancesOfClaim {
    std::vector<InstanceInfo> own;  // Those that have ended too; oldest first.
    // A fleet that was asked for the claim and others is not listed whole, yet or ever. If it never is, this
    // is the claim's; nullopt: none is.
    bool is_partial = false;
    std::optional<InstanceInfo> likely = {};
    // Of its group and without it, as fleet_in_tag() names them.
    std::set<std::string, std::less<>> fleets_of_others = {};
};

struct ClaimKey {
    std::string uid;
    std::string group;  // Its launch group's id; empty: it is in none.
};

class Instances {
  public:
    Instances(io::Loop& loop, Ec2& ec2, Reports& reports, std::string cluster_name);

    // nullopt: EC2 lists no such instance, or not yet.
    void get(const std::string& id, aws::Done<std::optional<InstanceInfo>> done) {
        by_id_.ask(id, std::move(done));
    }
    void of_claim(const ClaimKey& claim, aws::Done<InstancesOfClaim> done) {
        by_claim_.ask(claim.uid + "/" + claim.group, std::move(done));
    }
    // A value once it is on its way out; kNotFound where EC2 knows no such instance.
    void terminate(const std::string& id, aws::Done<bool> done) { ends_.ask(id, std::move(done)); }
    // Every instance of the cluster that was made for a claim and has not ended.
    void list(aws::Done<std::vector<InstanceInfo>> done);

  private:
    void find_claims(const std::vector<std::string>& keys,
                     std::function<void(Batcher<InstancesOfClaim>::Answers)> done);
    void end_all(std::vector<std::string> ids, std::function<void(Batcher<bool>::Answers)> done);

    Ec2& ec2_;
    const std::string cluster_name_;
    Batcher<std::optional<InstanceInfo>> by_id_;
    Batcher<InstancesOfClaim> by_claim_;
    Batcher<bool> ends_;
};

// The claim's among instances that were bought for several claims each time.
InstancesOfClaim share_of_claim(const std::vector<InstanceInfo>& shared, const std::string& uid);

// The ids that EC2's message names: "The instance IDs 'i-1, i-2' do not exist".
std::vector<std::string> ids_in(std::string_view message);

}  // namespace joiner::cloud::ec2
