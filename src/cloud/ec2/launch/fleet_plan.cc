#include "cloud/ec2/launch/fleet_plan.h"

#include <fmt/format.h>

#include <utility>

#include "api/names.h"
#include "cloud/ec2/aws/encoding.h"
#include "cloud/ec2/calls/ec2_requests.h"
#include "cloud/ec2/launch/launch_template_request.h"
#include "cloud/ec2/names.h"

namespace joiner::cloud::ec2 {
namespace {

// A name that its content alone decides, so that a template is found again, by whoever made it.
std::string name_of_content(LaunchTemplateRequest request) {
    request.name = "-";
    const std::string content = launch_template_form(request).text();
    return "karpenter.k8s.aws/" + aws::hex(aws::sha256(content)).substr(0, 32);
}

// Types that are launched alike share a template.
std::string group_of(const rules::InstanceType& type, const StatusImage& image) {
    return fmt::format("{} {}", image.id, type.capacity.pods);
}

}  // namespace

Result<FleetPlan> plan_fleet(const LaunchRequest& request, const std::set<rules::OfferingKey>& tried,
                             const FleetGround& ground) {
    FleetPlan out;
    std::map<std::string, std::size_t> part_of;
    std::set<std::string> types;
    for (const LaunchChoice& choice : request.choices) {
        const rules::OfferingKey key = choice.key();
        if (tried.contains(key)) continue;
        const auto subnet = ground.subnets.find(key.zone);
        const StatusImage* image = image_for(ground.status, *choice.type);
        if (subnet == ground.subnets.end() || image == nullptr) continue;
        if (out.asked.empty()) out.capacity_type = key.capacity_type;
        if (key.capacity_type != out.capacity_type || out.asked.size() >= kMostOverrides) continue;
        if (!types.contains(key.type) && types.size() >= kMostTypes) continue;
        types.insert(key.type);
        const auto [part, is_new] = part_of.try_emplace(group_of(*choice.type, *image), out.parts.size());
        if (is_new) {
            TRY(LaunchTemplateRequest made,
                make_launch_template(ground, request.claim, *choice.type, *image, out.capacity_type));
            made.name = name_of_content(made);
            out.parts.push_back({std::move(made), {}});
        }
        out.parts[part->second].overrides.push_back(
            {key.type, key.zone, subnet->second, image->id, choice.offering->price.dollars()});
        out.asked.push_back(key);
    }
    if (out.asked.empty()) return fail(ErrorKind::kExhausted, "nothing is left of what the claim may become");
    return out;
}

api::StringMap tags_for(const Ec2NodeClass& node_class, const Settings& settings,
                        const api::NodeClaim& claim) {
    api::StringMap out = node_class.tags;
    out[std::string(kOwnedTagPrefix) + settings.cluster_name] = "owned";
    out[std::string(kClusterTag)] = settings.cluster_name;
    out[std::string(kPoolTag)] = api::find_or_empty(claim.meta.labels, api::kNodePoolLabel);
    out[std::string(kClassLabel)] = claim.node_class.name;
    return out;
}

FleetRequest fleet_request(const FleetPlan& plan, const Ec2NodeClass& node_class, const Settings& settings,
                           const api::NodeClaim& claim) {
    FleetRequest out;
    const bool is_spot = plan.capacity_type == api::kSpot;
    out.capacity_type = is_spot ? api::kSpot : api::kOnDemand;
    const auto overlaid = claim.meta.annotations.find(api::kPriceOverlayAnnotation);
    const bool has_overlaid_prices = overlaid != claim.meta.annotations.end();
    if (is_spot)
        out.allocation_strategy =
            has_overlaid_prices ? "capacity-optimized-prioritized" : "price-capacity-optimized";
    else
        out.allocation_strategy = has_overlaid_prices ? "prioritized" : "lowest-price";
    for (const FleetPart& part : plan.parts)
        out.templates.push_back({part.launch_template.name, part.overrides});
    if (!claim.meta.annotations.contains(api::kMinValuesRelaxedAnnotation))
        out.context = node_class.context.value_or("");
    out.tags = tags_for(node_class, settings, claim);
    out.tags[std::string(kClaimTag)] = claim.meta.name;
    out.tags[std::string(kClaimUidTag)] = claim.meta.uid;
    return out;
}

}  // namespace joiner::cloud::ec2
