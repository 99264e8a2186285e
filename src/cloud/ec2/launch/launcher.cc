#include "cloud/ec2/launch/launcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/names.h"
#include "cloud/ec2/launch/fleet_codes.h"
#include "cloud/ec2/launch/fleet_members.h"
#include "cloud/ec2/names.h"
#include "cloud/ec2/reservations/reservation_rules.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// An instance that was bought may not be listed for so long.
constexpr Duration kListedBy = seconds{90};
// A new instance's partition.
constexpr Duration kPartitionSaidBy = seconds{15};
constexpr Duration kBetweenLooks = seconds{3};
constexpr Duration kYoungFor = minutes{2};
// Between the API server's clock and ours.
constexpr Duration kClockSkew = minutes{1};
// A purchase is remembered for so long after it was last heard of. EC2 lists its instance long before; of a
// claim that may have been forgotten it is asked.
constexpr Duration kRememberedFor = hours{1};
constexpr Duration kBetweenSweeps = minutes{1};
constexpr std::size_t kMostClasses = 8;
// Fleets that one launch asks for, one after the other. Each leaves out what the ones before found short.
constexpr int kMostFleets = 8;

bool has_ended(const InstanceInfo& info) {
    return info.state == "terminated" || info.state == "shutting-down";
}

std::string_view capacity_type_of(const InstanceInfo& info) {
    if (!info.spot_request.empty() || info.lifecycle == "spot") return api::kSpot;
    return is_reserved(info) ? api::kReserved : api::kOnDemand;
}

void add_single(const rules::Requirements& requirements, api::StringMap& labels) {
    for (const rules::Requirement& each : requirements) {
        if (each.is_single()) labels[each.key()] = each.values().front();
    }
}

// The type may be had in reservations without this instance being in one.
void label_with(const rules::InstanceType& type, const InstanceInfo& info, api::StringMap& labels) {
    for (const rules::Requirement& each : type.requirements) {
        if (each.is_single() && !is_reservation_label(each.key())) labels[each.key()] = each.values().front();
    }
    if (!is_reserved(info)) return;
    for (const rules::Offering& offering : type.offerings) {
        if (offering.reservation_id == info.reservation_id) add_single(offering.requirements, labels);
    }
}

// What EC2 does not say again in its answer.
void note_template(const LaunchTemplateRequest& made, InstanceInfo& out) {
    out.reservation_id = made.reservation_id;
    out.reservation_preference = made.reservation_preference;
    out.placement_group_id = made.placement_group;
    out.partition = made.partition;
    out.tenancy = made.tenancy.empty() ? kDefaultTenancy : made.tenancy;
    for (const NetworkInterfaceRequest& each : made.interfaces) {
        if (each.kind.starts_with("efa")) ++out.efa_interfaces;
    }
}

// What the claim is to remember of the class that it was launched by.
void annotate(const api::NodeClass& node_class, const std::string& instance_profile, Instance& out) {
    for (const std::string_view key : {kHashAnnotation, kHashVersionAnnotation}) {
        const auto it = node_class.meta.annotations.find(key);
        if (it != node_class.meta.annotations.end()) out.annotations[std::string(key)] = it->second;
    }
    out.annotations[std::string(kProfileAnnotation)] = instance_profile;
}

}  // namespace

struct Launcher::ReadClass {
    std::shared_ptr<const api::NodeClass> raw;
    Ec2NodeClass spec;
    ClassStatus status;
};

struct Launcher::Purchase {
    std::string uid;
    std::vector<LaunchDone> waiting;  // Not empty: under way.
    int number = 0;                   // Of the next fleet.
    bool is_known = false;            // What was bought before our time has been looked up.
    std::optional<Duration> looked_since = {};
    std::string refused_token;   // EC2 has said that it was used before; empty: it has said no such thing.
    std::set<std::string> dead;  // Instances of this claim that have ended.
    // Of the launch that is under way.
    std::shared_ptr<const LaunchRequest> request;
    ReadClassPtr node_class;
    std::shared_ptr<const FleetPlan> plan = std::make_shared<const FleetPlan>();
    std::set<rules::OfferingKey> tried;
    std::vector<rules::OfferingKey> exhausted;
    int fleets = 0;
    bool made_templates_anew = false;
    // What was bought.
    std::optional<Instance> instance;
    Duration bought_at{0};
    Duration touched{0};  // Asked for, or answered.
};

std::string provider_id(const std::string& zone, const std::string& instance_id) {
    return fmt::format("{}{}/{}", kProviderPrefix, zone, instance_id);
}

std::string instance_id_in(const std::string& provider_id) {
    if (!provider_id.starts_with(kProviderPrefix)) return {};
    const std::string id = provider_id.substr(provider_id.rfind('/') + 1);
    return id.starts_with("i-") ? id : std::string();
}

Instance instance_of(const InstanceInfo& info, const InstanceTypes& types) {
    Instance out;
    out.provider_id = provider_id(info.zone, info.id);
    out.image_id = info.image_id;
    out.claim_name = api::find_or_empty(info.tags, kClaimTag);
    if (info.tags.contains(std::string(kMembersTag)))
        out.launch_group = api::find_or_empty(info.tags, kBoughtForTag);
    if (const std::string name(api::find_or_empty(info.tags, kClassLabel)); !name.empty())
        out.node_class = {std::string(kGroup), std::string(kKind), name};
    if (types != nullptr) {
        for (const rules::InstanceType& type : *types) {
            if (type.name != info.type) continue;
            label_with(type, info, out.labels);
            out.capacity = type.capacity;
            out.allocatable = type.allocatable();
            // Without an interface of that kind there is nothing for its device plug-in to find.
            if (info.efa_interfaces == 0) {
                out.capacity.set(kEfaResource, 0);
                out.allocatable.set(kEfaResource, 0);
            }
        }
    }
    const auto label = [&](std::string_view key, std::string_view value) {
        if (!value.empty()) out.labels[std::string(key)] = value;
    };
    label(api::kInstanceTypeLabel, info.type);
    label(api::kZoneLabel, info.zone);
    label(api::kZoneIdLabel, info.zone_id);
    label(api::kCapacityTypeLabel, capacity_type_of(info));
    label(kTenancyLabel, info.tenancy);
    label(kPlacementGroupLabel, info.placement_group_id);
    if (info.partition) label(kPartitionLabel, std::to_string(*info.partition));
    if (is_reserved(info))
        label(kReservationLabel, info.reservation_id);
    else
        out.absent_labels = {std::string(kReservationLabel), std::string(kReservationTypeLabel),
                             std::string(kReservationInterruptibleLabel)};
    label(api::kNodePoolLabel, api::find_or_empty(info.tags, kPoolTag));
    label(kClassLabel, out.node_class.name);
    out.tags = info.tags;
    out.launched = info.launched;
    out.is_terminating = has_ended(info);
    return out;
}

void Launcher::launch(const LaunchRequest& request, LaunchDone done) {
    if (!began_) began_ = loop_.now();
    forget_old();
    PurchasePtr& purchase = purchases_[request.claim.meta.uid];
    if (!purchase) purchase = std::make_shared<Purchase>();
    purchase->touched = loop_.monotonic();
    if (purchase->instance) {
        loop_.post([done = std::move(done), instance = *purchase->instance] { done({instance}); });
        return;
    }
    purchase->waiting.push_back(std::move(done));
    if (purchase->waiting.size() > 1) return;
    purchase->uid = request.claim.meta.uid;
    purchase->request = std::make_shared<const LaunchRequest>(request);
    purchase->tried.clear();
    purchase->exhausted.clear();
    purchase->fleets = 0;
    purchase->made_templates_anew = false;
    loop_.post([this, kept = purchase, is_alive = is_alive_] {
        if (!*is_alive) return;
        // A claim that is younger than our first launch was never launched by somebody else, and a young one
        // is not forgotten.
        const WallTime created = kept->request->claim.meta.created;
        const bool is_surely_known =
            created > *began_ + kClockSkew && loop_.now() - created < kRememberedFor / 2;
        if (!kept->is_known && !is_surely_known) return look_up(kept, Duration{0});
        buy(kept);
    });
}

Result<Launcher::ReadClassPtr> Launcher::read(const std::shared_ptr<const api::NodeClass>& node_class) {
    for (const ReadClassPtr& each : classes_)
        if (each->raw == node_class) return each;
    auto parsed = parse_node_class(*node_class);
    if (!parsed) return fail(ErrorKind::kNotReady, parsed.error().message);
    if (classes_.size() == kMostClasses) classes_.pop_back();
    classes_.push_front(std::make_shared<const ReadClass>(
        ReadClass{node_class, std::move(*parsed), read_status(*node_class)}));
    return classes_.front();
}

void Launcher::look_up(const PurchasePtr& purchase, Duration until) {
    const auto group = launch_group_of(purchase->request->claim);
    const ClaimKey key{purchase->uid, group ? group->id : ""};
    instances_.of_claim(key, [this, purchase, until,
                              is_alive = is_alive_](const aws::Answer<InstancesOfClaim>& listed) {
        if (!*is_alive) return;
        if (!listed) return fail_with(purchase, listed.error());
        for (const InstanceInfo& each : listed->own) {
            if (!has_ended(each)) return found(purchase, each);
            purchase->dead.insert(each.id);
        }
        if (!purchase->looked_since) purchase->looked_since = loop_.monotonic();
        const bool was_for_others = listed->fleets_of_others.contains(fleet_in_tag(purchase->refused_token));
        Duration limit = was_for_others ? Duration{0} : until;
        if (listed->is_partial) limit = std::max(limit, *purchase->looked_since + kListedBy);
        if (loop_.monotonic() >= limit) {
            // The fleet did not get all that it was asked for.
            if (listed->likely && !has_ended(*listed->likely)) return found(purchase, *listed->likely);
            purchase->is_known = true;
            purchase->refused_token.clear();
            return buy(purchase);
        }
        loop_.after(kBetweenLooks, [this, purchase, until, is_alive] {
            if (*is_alive) look_up(purchase, until);
        });
    });
}

void Launcher::buy(const PurchasePtr& purchase) {
    if (const Status ready = check_ready(*purchase->request->node_class); !ready)
        return fail_with(purchase, ready.error());
    Result<ReadClassPtr> node_class = read(purchase->request->node_class);
    if (!node_class) return fail_with(purchase, node_class.error());
    purchase->node_class = std::move(*node_class);
    const auto& [raw, spec, status] = *purchase->node_class;
    std::optional<PlacementGroup> group;
    if (spec.placement_group) {
        group = placement_groups_.find(*spec.placement_group);
        if (!group)
            return fail_with(purchase, {ErrorKind::kNotReady, "the class's placement group is not known", 0});
    }
    auto plan = plans_.plan(*purchase->request, purchase->tried,
                            {.node_class = spec,
                             .status = status,
                             .settings = settings_,
                             .subnets = subnets_.choose(status),
                             .reservations = &reservations_.book(),
                             .placement_group = group,
                             .region = settings_.node_class_cel ? region_types_.facts() : nullptr});
    if (!plan) return cannot_ask(purchase, plan.error());
    purchase->plan = std::move(*plan);
    std::vector<LaunchTemplateRequest> templates;
    for (const FleetPart& part : purchase->plan->parts) templates.push_back(part.launch_template);
    templates_.ensure(templates, [this, purchase, is_alive = is_alive_](const aws::Answer<void>& made) {
        if (!*is_alive) return;
        if (!made) return fail_with(purchase, made.error());
        ask_fleet(purchase);
    });
}

// Where the very first fleet has nothing to ask for, full subnets are a shortage in their zones. What the
// class has no image or no subnet for is none: the next claim is planned by what the class says by then.
void Launcher::cannot_ask(const PurchasePtr& purchase, Error error) {
    const ClassStatus& status = purchase->node_class->status;
    if (error.kind != ErrorKind::kExhausted || !purchase->tried.empty())
        return fail_with(purchase, std::move(error));
    for (const LaunchChoice& choice : purchase->request->choices) {
        const bool has_subnet =
            std::any_of(status.subnets.begin(), status.subnets.end(),
                        [&](const StatusSubnet& subnet) { return subnet.zone == choice.key().zone; });
        if (has_subnet && image_for(status, *choice.type) != nullptr)
            purchase->exhausted.push_back(choice.key());
    }
    if (!purchase->exhausted.empty())
        return fail_with(purchase,
                         {ErrorKind::kExhausted,
                          "where the claim may go no subnet of the EC2NodeClass has a free address, or no "
                          "capacity reservation has room",
                          0});
    fail_with(
        purchase,
        {ErrorKind::kNotReady,
         fmt::format("EC2NodeClass {} has no image and subnet together for any instance type and zone that "
                     "the claim may have; it is planned again",
                     purchase->request->node_class->meta.name),
         0});
}

void Launcher::ask_fleet(const PurchasePtr& purchase) {
    const api::NodeClaim& claim = purchase->request->claim;
    batches_.ask({purchase->uid, claim.meta.name, launch_group_of(claim), purchase->number, purchase->plan,
                  fleet_terms(purchase->node_class->spec, settings_, claim)},
                 [this, purchase, is_alive = is_alive_](const aws::Answer<FleetBatches::Share>& share) {
                     if (!*is_alive) return;
                     if (share && !*share) {
                         ++purchase->number;
                         return ask_fleet(purchase);
                     }
                     ++purchase->fleets;
                     if (!share) return on_refused(purchase, share.error());
                     ++purchase->number;
                     on_fleet(purchase, **share);
                 });
}

void Launcher::on_refused(const PurchasePtr& purchase, const aws::CallError& error) {
    if (error.code == "IdempotentParameterMismatch") {
        const auto group = launch_group_of(purchase->request->claim);
        purchase->refused_token = client_token(group ? group->id : purchase->uid, purchase->number);
        ++purchase->number;
        if (purchase->fleets >= kMostFleets)
            return fail_with(purchase, {ErrorKind::kUnavailable, error.message, 0});
        // All such fleets are older than the first look, so one wait is enough for all of them.
        return look_up(purchase, purchase->looked_since.value_or(loop_.monotonic()) + kListedBy);
    }
    const FleetFault fault = fault_of(FleetError{error.code, error.details, "", {}, ""});
    if (fault == FleetFault::kOther) {
        // Where an answer of EC2's came, the errors of a call are those of a fleet.
        const Error known = error_of_fleet({{error.code, error.details, "", {}, ""}});
        Error out = error;
        if (error.kind == ErrorKind::kInvalid) out.kind = known.kind;
        return fail_with(purchase, std::move(out));
    }
    on_fleet(purchase, {"", {}, {{error.code, error.details, "", {}, ""}}});
}

void Launcher::on_fleet(const PurchasePtr& purchase, const FleetAnswer& answer) {
    const std::size_t tried_before = purchase->tried.size();
    note_errors(purchase, answer.errors);
    for (const FleetInstances& instances : answer.instances) {
        for (const std::string& id : instances.ids) {
            if (purchase->dead.contains(id)) continue;
            FleetInstances one = instances;
            one.ids = {id};
            return bought(purchase, one);
        }
    }
    const bool is_a_replay = !answer.instances.empty();  // Of a fleet whose instance has ended since.
    const bool is_template_gone =
        std::any_of(answer.errors.begin(), answer.errors.end(),
                    [](const FleetError& error) { return fault_of(error) == FleetFault::kTemplateGone; });
    if (is_template_gone && !std::exchange(purchase->made_templates_anew, true)) {
        for (const FleetPart& part : purchase->plan->parts) templates_.forget(part.launch_template.name);
        return buy(purchase);
    }
    Error error = error_of_fleet(answer.errors);
    const bool may_go_on = is_a_replay || error.kind == ErrorKind::kExhausted;
    if (!may_go_on) return fail_with(purchase, std::move(error));
    if (!is_a_replay && purchase->tried.size() == tried_before) {
        // Nothing is said of any offering: none of them was to be had.
        for (const rules::OfferingKey& key : purchase->plan->asked) {
            purchase->tried.insert(key);
            purchase->exhausted.push_back(key);
        }
    }
    if (purchase->fleets >= kMostFleets) return fail_with(purchase, std::move(error));
    buy(purchase);
}

// One for each error that a fleet names, also where an instance came of it.
void Launcher::count_error(const ClassStatus& status, const FleetError& error) {
    const auto subnet = std::find_if(status.subnets.begin(), status.subnets.end(),
                                     [&](const StatusSubnet& each) { return each.zone == error.which.zone; });
    const std::string_view lifecycle = error.lifecycle.empty() ? api::kOnDemand : error.lifecycle;
    const bool is_reserved_error = error.code == "ReservationCapacityExceeded";
    reports_.counted("cloudprovider_instance_launch_failures_total",
                     {{"zone", error.which.zone},
                      {"zone_id", subnet == status.subnets.end() ? "" : subnet->zone_id},
                      {"capacity_type", std::string(is_reserved_error ? api::kReserved : lifecycle)},
                      {"reason", error.code}},
                     1);
}

void Launcher::note_errors(const PurchasePtr& purchase, const std::vector<FleetError>& errors) {
    for (const FleetError& error : errors) count_error(purchase->node_class->status, error);
    const auto exhaust = [&](const rules::OfferingKey& key) {
        if (purchase->tried.insert(key).second) purchase->exhausted.push_back(key);
    };
    for (const FleetError& error : errors) {
        const FleetFault fault = fault_of(error);
        if (fault == FleetFault::kSubnetFull && !error.which.subnet.empty()) {
            subnets_.is_full(error.which.subnet);
            // Another subnet of the zone may do.
            if (subnets_.choose(purchase->node_class->status).contains(error.which.zone)) continue;
        }
        if (fault == FleetFault::kSpotRole) {
            for (const LaunchChoice& choice : purchase->request->choices) {
                if (choice.offering->capacity_type() == api::kSpot) exhaust(choice.key());
            }
        }
        if (fault == FleetFault::kSpreadFull) {
            // The group takes nothing more in that zone, whatever it is.
            for (const LaunchChoice& choice : purchase->request->choices) {
                if (error.which.zone.empty() || choice.offering->zone() == error.which.zone)
                    exhaust(choice.key());
            }
        }
        if (fault != FleetFault::kCapacity && fault != FleetFault::kSubnetFull) continue;
        for (const rules::OfferingKey& key : purchase->plan->asked) {
            const bool is_it = (error.which.type.empty() || error.which.type == key.type) &&
                               (error.which.zone.empty() || error.which.zone == key.zone);
            if (!is_it) continue;
            if (error.code == "ReservationCapacityExceeded") reservations_.is_full(key.reservation);
            exhaust(key);
        }
    }
}

void Launcher::found(const PurchasePtr& purchase, const InstanceInfo& info) {
    LaunchAnswer answer{instance_of(info, purchase->request->types)};
    const Result<ReadClassPtr> node_class = read(purchase->request->node_class);
    annotate(*purchase->request->node_class, node_class ? (*node_class)->status.instance_profile : "",
             *answer.instance);
    answer.exhausted = purchase->exhausted;
    finish(purchase, std::move(answer));
}

void Launcher::bought(const PurchasePtr& purchase, const FleetInstances& instances) {
    const api::NodeClaim& claim = purchase->request->claim;
    InstanceInfo info;
    info.id = instances.ids.front();
    info.type = instances.type.empty() ? instances.which.type : instances.type;
    info.zone = instances.which.zone;
    info.subnet = instances.which.subnet;
    info.image_id = instances.which.image_id;
    info.lifecycle = instances.lifecycle;
    info.launched = loop_.now();
    for (const FleetPart& part : purchase->plan->parts) {
        if (part.launch_template.name == instances.launch_template) note_template(part.launch_template, info);
    }
    for (const StatusSubnet& subnet : purchase->node_class->status.subnets) {
        if (subnet.id == info.subnet) info.zone_id = subnet.zone_id;
    }
    info.tags = {
        {std::string(kClaimTag), claim.meta.name},
        {std::string(kClassLabel), claim.node_class.name},
        {std::string(kPoolTag), std::string(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel))}};
    LaunchAnswer answer{instance_of(info, purchase->request->types)};
    annotate(*purchase->node_class->raw, purchase->node_class->status.instance_profile, *answer.instance);
    answer.taken = {info.type, info.zone, std::string(capacity_type_of(info)), info.reservation_id};
    answer.exhausted = purchase->exhausted;
    subnets_.used(info.subnet, 1);
    if (is_reserved(info)) reservations_.launched(info);
    purchase->bought_at = loop_.monotonic();
    const auto& selector = purchase->node_class->spec.placement_group;
    const auto group = selector ? placement_groups_.find(*selector) : std::nullopt;
    if (group && group->strategy == "partition" && !info.partition)
        return say_partition(purchase, std::make_shared<LaunchAnswer>(std::move(answer)),
                             purchase->bought_at + kPartitionSaidBy);
    finish(purchase, std::move(answer));
}

// EC2 chose it. The machine boots meanwhile, and its node is to have the label from the first.
void Launcher::say_partition(const PurchasePtr& purchase, std::shared_ptr<LaunchAnswer> answer,
                             Duration until) {
    const std::string id = instance_id_in(answer->instance->provider_id);
    instances_.get(id, [this, purchase, answer, until,
                        is_alive = is_alive_](const aws::Answer<std::optional<InstanceInfo>>& info) {
        if (!*is_alive) return;
        const bool is_said = info && *info && (*info)->partition;
        if (is_said)
            answer->instance->labels[std::string(kPartitionLabel)] = std::to_string(*(*info)->partition);
        if (is_said || loop_.monotonic() >= until) return finish(purchase, std::move(*answer));
        loop_.after(kBetweenLooks, [this, purchase, answer, until, is_alive] {
            if (*is_alive) say_partition(purchase, answer, until);
        });
    });
}

void Launcher::fail_with(const PurchasePtr& purchase, Error error) {
    LaunchAnswer answer{tl::unexpected<Error>(std::move(error))};
    answer.exhausted = purchase->exhausted;
    finish(purchase, std::move(answer));
}

void Launcher::finish(const PurchasePtr& purchase, LaunchAnswer answer) {
    if (answer.instance) {
        purchase->instance = *answer.instance;
        uid_of_[instance_id_in(answer.instance->provider_id)] = purchase->uid;
    }
    purchase->touched = loop_.monotonic();
    // A purchase is remembered for a while, and its request is large.
    purchase->request.reset();
    purchase->node_class.reset();
    purchase->looked_since.reset();
    purchase->refused_token.clear();
    purchase->plan = std::make_shared<const FleetPlan>();
    for (const LaunchDone& done : std::exchange(purchase->waiting, {})) done(answer);
}

void Launcher::forget_old() {
    const Duration now = loop_.monotonic();
    if (now < sweep_after_) return;
    sweep_after_ = now + kBetweenSweeps;
    batches_.forget_older_than(kRememberedFor);
    std::erase_if(purchases_, [&](const auto& item) {
        const Purchase& purchase = *item.second;
        if (!purchase.waiting.empty() || now - purchase.touched < kRememberedFor) return false;
        if (purchase.instance) uid_of_.erase(instance_id_in(purchase.instance->provider_id));
        return true;
    });
}

void Launcher::ended(const std::string& instance_id) {
    reservations_.ended(instance_id);
    const auto uid = uid_of_.find(instance_id);
    if (uid == uid_of_.end()) return;
    const auto purchase = purchases_.find(uid->second);
    if (purchase != purchases_.end() && purchase->second->waiting.empty()) {
        purchase->second->instance.reset();
        purchase->second->dead.insert(instance_id);
        // What was looked up and bought is forgotten; if the claim asks again it is looked up again.
        purchase->second->is_known = false;
    }
    uid_of_.erase(uid);
}

bool Launcher::is_launching() const {
    return std::any_of(purchases_.begin(), purchases_.end(),
                       [](const auto& item) { return !item.second->waiting.empty(); });
}

bool Launcher::is_young(const std::string& instance_id) const {
    const auto uid = uid_of_.find(instance_id);
    if (uid == uid_of_.end()) return false;
    const auto purchase = purchases_.find(uid->second);
    return purchase != purchases_.end() && purchase->second->bought_at > Duration{0} &&
           loop_.monotonic() - purchase->second->bought_at < kYoungFor;
}

}  // namespace joiner::cloud::ec2
