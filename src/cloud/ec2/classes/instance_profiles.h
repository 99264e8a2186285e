// The instance profiles of classes that name a role: made where none has it, kept while it has, and taken
// away with the class. Borrows the calls. Loop thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/karpenter.h"
#include "cloud/ec2/calls/iam.h"
#include "cloud/ec2/settings.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

class InstanceProfiles {
  public:
    InstanceProfiles(io::Loop& loop, Iam& iam, std::string region, const Settings& settings)
        : loop_(loop), iam_(iam), region_(std::move(region)), settings_(settings) {}
    ~InstanceProfiles() { *is_alive_ = false; }
    InstanceProfiles(const InstanceProfiles&) = delete;
    InstanceProfiles& operator=(const InstanceProfiles&) = delete;

    // The name of a profile that holds the role: the class's present one where it does. `tags`: of one that
    // is made.
    void ensure(const api::NodeClass& node_class, const std::string& role, const std::string& present,
                const api::StringMap& tags, aws::Done<std::string> done);
    // All that were made for the class.
    void remove_all(const api::NodeClass& node_class, aws::Done<void> done);

  private:
    struct Wish {
        std::string role;
        InstanceProfile profile;  // As it is made.
        aws::Done<std::string> done;
    };
    void check_present(const std::shared_ptr<Wish>& wish, const std::string& present);
    void check_own(const std::shared_ptr<Wish>& wish);
    void make(const std::shared_ptr<Wish>& wish);
    void add_role(const std::shared_ptr<Wish>& wish);
    void held(const std::shared_ptr<Wish>& wish, const std::string& name);
    void remove(const InstanceProfile& profile, aws::Done<void> done);
    std::string path_of(const api::NodeClass& node_class) const;

    io::Loop& loop_;
    Iam& iam_;
    const std::string region_;
    const Settings& settings_;
    std::map<std::string, std::pair<std::string, Duration>> known_;  // The role by profile, and since when.
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
