#include "act/launcher.h"

#include <fmt/format.h>

#include <map>

#include "api/codec.h"
#include "api/names.h"
#include "cloud/launch_group.h"

namespace joiner::act {
namespace {

constexpr int kMaxTries = 5;
constexpr Duration kRetry = std::chrono::milliseconds{500};

void try_create(Services& services, std::shared_ptr<const std::string> body, int tries,
                std::function<void(Status)> done) {
    services.client.create(
        kube::kNodeClaims, "", *body,
        [&services, body, tries, done = std::move(done)](Result<std::string> answer) mutable {
            if (answer) return done({});
            // After a try without an answer, "exists already" is our own doing.
            if (answer.error().kind == ErrorKind::kConflict && tries > 0) return done({});
            if (answer.error().kind != ErrorKind::kUnavailable || tries + 1 >= kMaxTries) {
                return done(tl::unexpected<Error>(answer.error()));
            }
            services.loop.after(kRetry * (1 << tries),
                                [&services, body, tries, done = std::move(done)]() mutable {
                                    try_create(services, body, tries + 1, std::move(done));
                                });
        });
}

}  // namespace

std::string make_claim_name(const std::string& pool, Rng& rng) {
    // The letters of Kubernetes' own generated names: nothing that could spell a word.
    constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
    // Room for the suffix within what a label value holds, since the name becomes the hostname label.
    std::string name = pool.substr(0, 57) + "-";
    for (int i = 0; i < 5; ++i) name += kLetters[rng.below(kLetters.size())];
    return name;
}

api::NodeClaim make_claim(const plan::MachineSpec& spec, const model::PoolView& pool,
                          const rules::RestrictedLabels& labels, const std::string& name) {
    const api::NodePoolTemplate& t = pool.pool.node_template;
    api::NodeClaim claim;
    claim.meta.name = name;
    claim.meta.finalizers = {std::string(api::kTerminationFinalizer)};
    claim.meta.owners = {{std::string(pool.pool.api_version()), std::string(pool.pool.kind()), pool.name,
                          pool.pool.meta.uid, false, true}};
    claim.meta.labels = t.labels;
    claim.meta.labels[std::string(api::kNodePoolLabel)] = pool.name;
    claim.meta.labels[rules::node_class_label(t.node_class)] = t.node_class.name;
    claim.meta.annotations = t.annotations;
    claim.meta.annotations[std::string(api::kNodePoolHashAnnotation)] = rules::node_pool_hash(pool.pool);
    claim.meta.annotations[std::string(api::kNodePoolHashVersionAnnotation)] =
        std::string(api::kNodePoolHashVersion);
    claim.meta.annotations[std::string(api::kMinValuesRelaxedAnnotation)] =
        spec.min_values_relaxed ? "true" : "false";
    if (spec.has_overlaid_price) claim.meta.annotations[std::string(api::kPriceOverlayAnnotation)] = "true";
    if (spec.has_overlaid_capacity)
        claim.meta.annotations[std::string(api::kCapacityOverlayAnnotation)] = "true";
    rules::Requirements requirements = spec.requirements;
    requirements.remove(api::kProvisionerLabel);  // A label by now; the API server wants no such key here.
    // A custom label that may take several values takes one of them now, so that the node's label is known.
    for (const rules::Requirement& requirement : spec.requirements) {
        if (labels.well_known.contains(requirement.key()) || labels.problem(requirement.key())) continue;
        const std::string value = requirement.any_value();
        if (!value.empty()) claim.meta.labels[requirement.key()] = value;
    }
    if (!spec.types.empty()) {
        const rules::Requirement* old_types = requirements.find(api::kInstanceTypeLabel);
        rules::Requirement types = rules::Requirement::in(std::string(api::kInstanceTypeLabel), spec.types);
        if (old_types != nullptr) types.set_min_values(old_types->min_values());
        requirements.replace(std::move(types));
    }
    claim.requirements = requirements.to_api();
    claim.requests = rules::to_resource_map(spec.requests);
    claim.taints = t.taints;
    claim.startup_taints = t.startup_taints;
    claim.node_class = t.node_class;
    claim.expire_after = t.expire_after;
    claim.termination_grace_period = t.termination_grace_period;
    return claim;
}

std::vector<std::string> launch_groups(const std::vector<std::shared_ptr<const plan::MachineSpec>>& specs,
                                       Rng& rng) {
    std::vector<std::vector<std::size_t>> groups;
    std::map<const plan::MachineSpec*, std::size_t> open;  // In `groups`.
    for (std::size_t i = 0; i < specs.size(); ++i) {
        const auto [at, is_new] = open.try_emplace(specs[i].get(), groups.size());
        if (!is_new && groups[at->second].size() == cloud::kMostInALaunchGroup) at->second = groups.size();
        if (at->second == groups.size()) groups.emplace_back();
        groups[at->second].push_back(i);
    }
    std::vector<std::string> out(specs.size());
    for (const std::vector<std::size_t>& members : groups) {
        if (members.size() < 2) continue;
        const std::string text =
            cloud::written({fmt::format("{:016x}{:016x}", rng.next(), rng.next()), members.size()});
        for (const std::size_t member : members) out[member] = text;
    }
    return out;
}

void create_claim(Services& services, api::NodeClaim claim, std::string_view reason,
                  std::function<void(Status)> done) {
    auto body = std::make_shared<const std::string>(api::encode_node_claim(claim));
    try_create(services, std::move(body), 0,
               [&services, claim = std::move(claim), reason = std::string(reason),
                done = std::move(done)](Status status) {
                   if (status) services.notices.claim_created(claim, reason);
                   done(std::move(status));
               });
}

}  // namespace joiner::act
