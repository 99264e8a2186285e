#include "cloud/ec2/instances/node_tags.h"

#include <fmt/format.h>

#include <utility>

#include "api/names.h"
#include "cloud/ec2/launch/launcher.h"
#include "cloud/ec2/names.h"

namespace joiner::cloud::ec2 {
namespace {

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
    const std::string id = instance_id_in(claim.provider_id);
    const api::StringMap wanted = {{"Name", claim.node_name},
                                   {std::string(kClaimTag), claim.meta.name},
                                   {std::string(kClusterTag), cluster_name_}};
    instances_.get(id, [this, id, wanted, done = std::move(done),
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
