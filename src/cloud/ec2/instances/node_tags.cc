#include "cloud/ec2/instances/node_tags.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/names.h"
#include "cloud/ec2/launch/launcher.h"
#include "cloud/ec2/names.h"

namespace joiner::cloud::ec2 {
namespace {

// Nobody waits for a tag.
constexpr Duration kGatheringOfNodes = std::chrono::milliseconds{250};
// Each is a call of its own, and EC2 takes ten a second for long.
constexpr std::ptrdiff_t kMostAtOnce = 3;
constexpr Duration kBetween = std::chrono::milliseconds{400};

api::StringMap said() {
    return {{std::string(kTaggedAnnotation), "true"}, {std::string(kClusterTaggedAnnotation), "true"}};
}

}  // namespace

bool NodeTags::are_wanted(const api::NodeClaim& claim) {
    const auto is_said = [&](std::string_view key) { return claim.meta.annotations.contains(key); };
    return !claim.node_name.empty() && !instance_id_in(claim.provider_id).empty() &&
           !(is_said(kTaggedAnnotation) && is_said(kClusterTaggedAnnotation));
}

void NodeTags::put(const api::NodeClaim& claim, std::function<void(Result<api::StringMap>)> done) {
    waiting_.push_back({instance_id_in(claim.provider_id),
                        {{"Name", claim.node_name},
                         {std::string(kClaimTag), claim.meta.name},
                         {std::string(kClusterTag), cluster_name_}},
                        std::move(done)});
    if (waiting_.size() == 1) put_after(kGatheringOfNodes);
}

void NodeTags::put_after(Duration wait) {
    loop_.after(wait, [this, is_alive = is_alive_] {
        if (!*is_alive) return;
        const auto end = waiting_.begin() + std::min<std::ptrdiff_t>(kMostAtOnce, std::ssize(waiting_));
        const std::vector<Wish> next(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
        waiting_.erase(waiting_.begin(), end);
        for (const Wish& wish : next) put_now(wish);
        if (!waiting_.empty()) put_after(kBetween);
    });
}

void NodeTags::put_now(const Wish& wish) {
    instances_.get(
        wish.instance_id, [this, id = wish.instance_id, wanted = wish.tags, done = wish.done,
                           is_alive = is_alive_](const aws::Answer<std::optional<InstanceInfo>>& info) {
            if (!*is_alive) return;
            if (!info) return done(tl::unexpected<Error>(info.error()));
            if (!*info) return done(fail(ErrorKind::kNotFound, fmt::format("EC2 lists no instance {}", id)));
            api::StringMap missing;
            for (const auto& [key, value] : wanted) {
                if (!(*info)->tags.contains(key)) missing[key] = value;
            }
            if (missing.empty()) return done(said());
            ec2_.create_tags({id}, missing, [done](const aws::Answer<void>& tagged) {
                if (!tagged) return done(tl::unexpected<Error>(tagged.error()));
                done(said());
            });
        });
}

}  // namespace joiner::cloud::ec2
