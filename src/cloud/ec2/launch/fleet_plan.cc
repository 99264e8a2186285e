#include "cloud/ec2/launch/fleet_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/names.h"
#include "cloud/ec2/aws/encoding.h"
#include "cloud/ec2/calls/ec2_requests.h"
#include "cloud/ec2/launch/launch_kubelets.h"
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
std::string group_of(const rules::InstanceType& type, const StatusImage& image,
                     const std::string& reservation, int efa_interfaces, const KubeletSettings& kubelet) {
    std::string out = fmt::format("{} {} {} {}", image.id, type.capacity.pods, reservation, efa_interfaces);
    for (const api::StringMap* reserve : {&kubelet.kube_reserved, &kubelet.system_reserved}) {
        for (const auto& [resource, amount] : *reserve) out += fmt::format(" {}={}", resource, amount);
        out += ';';
    }
    return out;
}

// What a choice is launched with.
struct Candidate {
    const LaunchChoice* choice;
    rules::OfferingKey key;
    const std::string* subnet = nullptr;
    const StatusImage* image = nullptr;
    const StatusReservation* reservation = nullptr;  // nullptr: none.
    int room = 0;                                    // In the reservation.
};

// Choices that the class can launch now, cheapest first.
std::vector<Candidate> candidates_for(const LaunchRequest& request, const std::set<rules::OfferingKey>& tried,
                                      const FleetGround& ground) {
    std::vector<Candidate> out;
    std::map<const rules::InstanceType*, const StatusImage*> images;  // nullptr: the class has none for it.
    for (const LaunchChoice& choice : request.choices) {
        Candidate one{&choice, choice.key()};
        if (tried.contains(one.key)) continue;
        const auto subnet = ground.subnets.find(one.key.zone);
        const auto [image, is_new] = images.try_emplace(choice.type);
        if (is_new) image->second = image_for(ground.status, *choice.type);
        one.image = image->second;
        if (subnet == ground.subnets.end() || one.image == nullptr) continue;
        one.subnet = &subnet->second;
        if (one.key.capacity_type == api::kReserved) {
            const auto& all = ground.status.reservations;
            const auto it = std::find_if(all.begin(), all.end(), [&](const StatusReservation& each) {
                return each.id == one.key.reservation && !each.is_expiring;
            });
            one.room = ground.reservations == nullptr ? 0 : ground.reservations->free(one.key.reservation);
            if (it == all.end() || one.room <= 0) continue;
            one.reservation = &*it;
        }
        out.push_back(one);
    }
    return out;
}

// Of the reservations, those that one fleet may ask for together.
std::vector<Candidate> of_one_kind(const std::vector<Candidate>& reserved) {
    ReservationKind kind = kind_of(*reserved.front().reservation);
    for (const Candidate& each : reserved) {
        if (each.choice->offering->price == reserved.front().choice->offering->price)
            kind = std::min(kind, kind_of(*each.reservation));
    }
    std::vector<Candidate> out;
    std::map<std::pair<std::string, std::string>, std::size_t> at;  // In `out`, by type and zone.
    for (const Candidate& each : reserved) {
        if (kind_of(*each.reservation) != kind) continue;
        const auto [it, is_new] = at.try_emplace({each.key.type, each.key.zone}, out.size());
        if (is_new)
            out.push_back(each);
        else if (each.room > out[it->second].room)
            out[it->second] = each;
        if (kind == ReservationKind::kCapacityBlock) break;
    }
    return out;
}

// How EC2 is to buy, and by which strategy.
void set_purchase(const FleetPlan& plan, bool has_overlaid_prices, FleetRequest& out) {
    if (plan.capacity_type == api::kSpot) {
        out.capacity_type = api::kSpot;
        out.allocation_strategy =
            has_overlaid_prices ? "capacity-optimized-prioritized" : "price-capacity-optimized";
        return;
    }
    const bool is_reserved = plan.capacity_type == api::kReserved;
    if (is_reserved && plan.reservations == ReservationKind::kCapacityBlock) {
        out.capacity_type = "capacity-block";
    } else if (is_reserved && plan.reservations == ReservationKind::kInterruptible) {
        out.capacity_type = "reserved-capacity";
        out.allocation_strategy = "interruptible-capacity-reservation";
    } else {
        out.capacity_type = api::kOnDemand;
        out.allocation_strategy = has_overlaid_prices ? "prioritized" : "lowest-price";
    }
}

}  // namespace

Result<FleetPlan> plan_fleet(const LaunchRequest& request, const std::set<rules::OfferingKey>& tried,
                             const FleetGround& ground) {
    std::vector<Candidate> candidates = candidates_for(request, tried, ground);
    if (candidates.empty())
        return fail(ErrorKind::kExhausted, "nothing is left of what the claim may become");
    FleetPlan out;
    out.capacity_type = candidates.front().key.capacity_type;
    std::erase_if(candidates,
                  [&](const Candidate& each) { return each.key.capacity_type != out.capacity_type; });
    if (out.capacity_type == api::kReserved) {
        candidates = of_one_kind(candidates);
        out.reservations = kind_of(*candidates.front().reservation);
    }
    TRY(LaunchKubelets kubelets, LaunchKubelets::read(ground));
    std::map<std::string, std::size_t> part_of;
    std::set<std::string> types;
    std::set<rules::OfferingKey> asked;
    for (const Candidate& each : candidates) {
        const rules::InstanceType& type = *each.choice->type;
        // Offerings that differ by partition alone are one to EC2.
        if (!asked.insert(each.key).second) continue;
        if (out.asked.size() >= kMostOverrides) break;
        if (!types.contains(type.name) && types.size() >= kMostTypes) continue;
        TRY(const KubeletSettings* kubelet, kubelets.of(type.name));
        const std::string group = group_of(type, *each.image, each.key.reservation,
                                           efa_interfaces(ground.node_class, request.claim, type), *kubelet);
        if (!part_of.contains(group) && out.parts.size() == kMostTemplates) continue;
        types.insert(type.name);
        const auto [part, is_new] = part_of.try_emplace(group, out.parts.size());
        if (is_new) {
            TRY(LaunchTemplateRequest made,
                make_launch_template(ground, request.claim, type, *kubelet, *each.image, out.capacity_type,
                                     each.reservation));
            made.name = name_of_content(made);
            out.parts.push_back({std::move(made), {}});
        }
        out.parts[part->second].overrides.push_back({each.key.type, each.key.zone, *each.subnet,
                                                     each.image->id,
                                                     each.choice->offering->cost().dollars()});
        out.asked.push_back(each.key);
    }
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

FleetTerms fleet_terms(const Ec2NodeClass& node_class, const Settings& settings,
                       const api::NodeClaim& claim) {
    FleetTerms out;
    out.tags = tags_for(node_class, settings, claim);
    if (!claim.meta.annotations.contains(api::kMinValuesRelaxedAnnotation))
        out.context = node_class.context.value_or("");
    out.has_overlaid_prices = claim.meta.annotations.contains(api::kPriceOverlayAnnotation);
    return out;
}

FleetRequest fleet_request(const FleetPlan& plan, const FleetTerms& terms) {
    FleetRequest out;
    set_purchase(plan, terms.has_overlaid_prices, out);
    for (const FleetPart& part : plan.parts)
        out.templates.push_back({part.launch_template.name, part.overrides});
    out.context = terms.context;
    out.tags = terms.tags;
    return out;
}

}  // namespace joiner::cloud::ec2
