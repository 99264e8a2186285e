#include "cloud/ec2/classes/instance_profiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/names.h"
#include "base/hash.h"
#include "cloud/ec2/aws/join.h"
#include "cloud/ec2/names.h"

namespace joiner::cloud::ec2 {
namespace {

// What a profile holds is believed for so long.
constexpr Duration kKnownFor = std::chrono::minutes{15};

bool holds(const InstanceProfile& profile, const std::string& role) {
    return std::find(profile.roles.begin(), profile.roles.end(), role) != profile.roles.end();
}

}  // namespace

std::string InstanceProfiles::path_of(const api::NodeClass& node_class) const {
    return fmt::format("/karpenter/{}/{}/{}/", region_, settings_.cluster_name, node_class.meta.uid);
}

void InstanceProfiles::ensure(const api::NodeClass& node_class, const std::string& role,
                              const std::string& present, const api::StringMap& tags,
                              aws::Done<std::string> done) {
    const auto wish = std::make_shared<Wish>();
    wish->role = role.substr(role.rfind('/') + 1);  // With its path it is no name.
    // The role is in the name: another role has another profile, and running nodes keep theirs.
    const std::uint64_t hash =
        fnv1a(fmt::format("{} {} {} {}", region_, node_class.meta.name, node_class.meta.uid, wish->role));
    wish->profile.name = fmt::format("{}_{}", settings_.cluster_name.substr(0, 100), hash);
    wish->profile.path = path_of(node_class);
    wish->profile.tags = tags;
    wish->profile.tags[std::string(kOwnedTagPrefix) + settings_.cluster_name] = "owned";
    wish->profile.tags[std::string(kClusterTag)] = settings_.cluster_name;
    wish->profile.tags[std::string(kClassLabel)] = node_class.meta.name;
    wish->profile.tags[std::string(api::kRegionLabel)] = region_;
    wish->done = std::move(done);
    for (const std::string& name : {present, wish->profile.name}) {
        const auto known = known_.find(name);
        if (known == known_.end() || known->second.first != wish->role ||
            loop_.monotonic() - known->second.second > kKnownFor)
            continue;
        loop_.post([wish, name] { wish->done(name); });
        return;
    }
    if (present.empty() || present == wish->profile.name) return check_own(wish);
    check_present(wish, present);
}

void InstanceProfiles::held(const std::shared_ptr<Wish>& wish, const std::string& name) {
    known_[name] = {wish->role, loop_.monotonic()};
    wish->done(name);
}

void InstanceProfiles::check_present(const std::shared_ptr<Wish>& wish, const std::string& present) {
    iam_.get_instance_profile(
        present, [this, wish, present, is_alive = is_alive_](const aws::Answer<InstanceProfile>& found) {
            if (!*is_alive) return;
            if (found && holds(*found, wish->role)) return held(wish, present);
            if (!found && found.error().kind != ErrorKind::kNotFound)
                return wish->done(tl::unexpected<aws::CallError>(found.error()));
            check_own(wish);
        });
}

void InstanceProfiles::check_own(const std::shared_ptr<Wish>& wish) {
    iam_.get_instance_profile(wish->profile.name,
                              [this, wish, is_alive = is_alive_](const aws::Answer<InstanceProfile>& found) {
                                  if (!*is_alive) return;
                                  if (found && holds(*found, wish->role))
                                      return held(wish, wish->profile.name);
                                  if (found) return add_role(wish);
                                  if (found.error().kind != ErrorKind::kNotFound)
                                      return wish->done(tl::unexpected<aws::CallError>(found.error()));
                                  make(wish);
                              });
}

void InstanceProfiles::make(const std::shared_ptr<Wish>& wish) {
    iam_.create_instance_profile(wish->profile,
                                 [this, wish, is_alive = is_alive_](const aws::Answer<void>& made) {
                                     if (!*is_alive) return;
                                     if (!made && made.error().kind != ErrorKind::kConflict)
                                         return wish->done(tl::unexpected<aws::CallError>(made.error()));
                                     add_role(wish);
                                 });
}

void InstanceProfiles::add_role(const std::shared_ptr<Wish>& wish) {
    iam_.add_role(wish->profile.name, wish->role,
                  [this, wish, is_alive = is_alive_](const aws::Answer<void>& added) {
                      if (!*is_alive) return;
                      if (!added) return wish->done(tl::unexpected<aws::CallError>(added.error()));
                      held(wish, wish->profile.name);
                  });
}

void InstanceProfiles::remove_all(const api::NodeClass& node_class, aws::Done<void> done) {
    iam_.list_instance_profiles(path_of(node_class),
                                [this, done = std::move(done),
                                 is_alive = is_alive_](const aws::Answer<std::vector<InstanceProfile>>& all) {
                                    if (!*is_alive) return;
                                    if (!all) return done(tl::unexpected<aws::CallError>(all.error()));
                                    if (all->empty()) return done({});
                                    const aws::Done<void> one_done = aws::joined(all->size(), done);
                                    for (const InstanceProfile& each : *all) remove(each, one_done);
                                });
}

void InstanceProfiles::remove(const InstanceProfile& profile, aws::Done<void> done) {
    known_.erase(profile.name);
    if (profile.roles.empty()) return iam_.delete_instance_profile(profile.name, std::move(done));
    iam_.remove_role(profile.name, profile.roles.front(),
                     [this, name = profile.name, done = std::move(done),
                      is_alive = is_alive_](const aws::Answer<void>& freed) {
                         if (!*is_alive) return;
                         if (!freed) return done(freed);
                         iam_.delete_instance_profile(name, done);
                     });
}

}  // namespace joiner::cloud::ec2
