#include "cloud/ec2/ec2_provider.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/names.h"
#include "cloud/ec2/catalogue.h"
#include "cloud/ec2/drift.h"
#include "cloud/ec2/health/repair_policies.h"
#include "cloud/ec2/names.h"
#include "cloud/ec2/types/class_types.h"
#include "cloud/ec2/types/type_labels.h"
#include "rules/resources.h"

namespace joiner::cloud::ec2 {
namespace {

constexpr int kNeverCounted = -1;
constexpr Duration kFresh = std::chrono::seconds{30};
const std::string kAgent = std::string("joiner/") + JOINER_VERSION;

tl::unexpected<Error> not_an_id_of_ours(const std::string& provider_id) {
    return invalid(fmt::format("\"{}\" is not the id of an EC2 instance", provider_id));
}

tl::unexpected<Error> no_such_instance(const std::string& id) {
    return fail(ErrorKind::kNotFound, fmt::format("the instance {} is gone", id));
}

}  // namespace

Ec2Provider::Ec2Provider(Ec2Ground ground, Settings settings)
    : loop_(ground.loop),
      settings_(std::move(settings)),
      region_(ground.endpoints.region()),
      call_metrics_(ground.reports),
      client_(ground.loop, ground.http, ground.rng, std::move(ground.endpoints),
              std::move(ground.fetch_credentials), kAgent),
      ec2_(client_),
      iam_(client_),
      ssm_(client_),
      eks_(client_),
      pricing_(client_),
      sqs_(client_),
      arc_(client_),
      savings_plans_(client_),
      instances_(ground.loop, ec2_, ground.reports, settings_.cluster_name),
      known_(ground.loop, instances_),
      reservations_(ground.loop, ec2_, instances_, ground.reports),
      placement_groups_(ground.loop, ec2_, ground.reports),
      node_tags_(loop_, ec2_, instances_, settings_.cluster_name),
      templates_(ground.loop, ec2_, settings_.cluster_name),
      region_types_(ground.loop, ec2_, pricing_, region_, settings_,
                    [&reports = ground.reports] { reports.offers_changed(); }),
      launcher_({ground.loop, ec2_, instances_, templates_, subnets_, reservations_, placement_groups_,
                 region_types_, settings_, ground.reports}),
      cluster_(ground.loop, eks_, settings_, std::move(ground.ask_version)),
      profiles_(ground.loop, iam_, region_, settings_),
      discovery_(ground.loop, ec2_, ssm_, subnets_, settings_),
      reconciler_({ground.loop, ec2_, discovery_, cluster_, profiles_, templates_, reservations_,
                   placement_groups_, region_types_, settings_}),
      reports_(ground.reports),
      queue_(ground.loop, sqs_, instances_, ground.reports, settings_.interruption_queue),
      status_watch_(ground.loop, ec2_, ground.reports),
      zonal_shift_(ground.loop, eks_, arc_, settings_.cluster_name,
                   [&reports = ground.reports] { reports.offers_changed(); }),
      commitments_({ground.loop, ec2_, savings_plans_, region_types_, ground.reports, region_, settings_}) {
    client_.tell(call_metrics_);
    labels_.domains.emplace_back(kGroup);
    // Every label of the built-in types is one that users may ask for.
    rules::Requirements defined;
    add_type_labels(catalogue().types.front().info, 0, kLabelDomain, defined);
    for (const rules::Requirement& each : defined) labels_.well_known.add(each.key());
    labels_.well_known.add(std::string(kTenancyLabel));
    labels_.well_known.add(std::string(api::kZoneIdLabel));
    for (const std::string_view label :
         {kReservationLabel, kReservationTypeLabel, kReservationInterruptibleLabel, kPlacementGroupLabel,
          kPartitionLabel})
        labels_.well_known.add(std::string(label));
}

Ec2Provider::~Ec2Provider() {
    *is_alive_ = false;
}

std::vector<NodeClassResource> Ec2Provider::node_class_resources() const {
    return {{kGroup, "v1", "ec2nodeclasses", kKind}};
}

Result<InstanceTypes> Ec2Provider::instance_types(const api::NodePool&, const api::NodeClass* node_class) {
    if (node_class == nullptr) return fail(ErrorKind::kNotReady, "its EC2NodeClass is not there");
    TRY(const ClassTypes* known, types_of(*node_class));
    return known->types;
}

// It is asked for at each plan and for each claim, so an object that was read once is not read again.
Result<const Ec2Provider::ClassTypes*> Ec2Provider::types_of(const api::NodeClass& node_class) {
    const auto unknown = [](std::string why) { return fail(ErrorKind::kNotReady, std::move(why)); };
    const std::shared_ptr<const RegionFacts> facts = region_types_.facts();
    if (facts == nullptr) return unknown("EC2 has not said yet which instance types there are");
    ClassTypes& kept = types_[node_class.meta.name];
    const std::string& version = node_class.meta.resource_version;
    const auto group_now = [this](const std::optional<PlacementGroupSelector>& selector) {
        return selector ? placement_groups_.find(*selector) : std::nullopt;
    };
    if (kept.version != version || version.empty()) learned_.read(node_class);
    if (kept.learned != learned_.version() && kept.memory == memory_of(node_class.meta.name, kept))
        kept.learned = learned_.version();
    const bool is_ground_the_same = kept.facts == facts && kept.shift == zonal_shift_.version() &&
                                    kept.group == group_now(kept.selector) &&
                                    kept.learned == learned_.version();
    if (is_ground_the_same && !version.empty() && kept.version == version) {
        count_reservations(kept);
        return &kept;
    }
    const std::string name = "EC2NodeClass " + node_class.meta.name;
    const ClassStatus status = read_status(node_class);
    if (status.subnets.empty()) return unknown(name + " has found no subnets");
    if (status.images.empty()) return unknown(name + " has found no images");
    const std::string written = node_class.spec + write_status(status);
    if (!is_ground_the_same || kept.written != written) {
        const auto parsed = parse_node_class(node_class);
        if (!parsed) return unknown(name + ": " + parsed.error().message);
        const std::optional<PlacementGroup> group = group_now(parsed->placement_group);
        if (parsed->placement_group && !group) return unknown(name + " has not found its placement group");
        TRY(auto types, make_class_types(*facts, region_, *parsed, status, settings_, group,
                                         learned_.of(node_class.meta.name)));
        close_shifted_zones(types);
        for (const auto& [other, of_other] : types_)
            if (of_other.types != nullptr) share_requirements(*of_other.types, types);
        kept = {{},
                written,
                facts,
                status,
                zonal_shift_.version(),
                std::make_shared<const std::vector<rules::InstanceType>>(std::move(types)),
                kNeverCounted,
                parsed->placement_group,
                group,
                {},
                learned_.version(),
                {}};
        for (const rules::InstanceType& type : *kept.types)
            if (const StatusImage* image = image_for(status, type)) kept.images[type.name] = image->id;
        kept.memory = memory_of(node_class.meta.name, kept);
    }
    kept.version = version;
    count_reservations(kept);
    return &kept;
}

MemoryByImage Ec2Provider::memory_of(const std::string& node_class, const ClassTypes& kept) const {
    MemoryByImage out;
    for (const auto& [key, bytes] : learned_.of(node_class)) {
        const auto image = kept.images.find(key.first);
        if (image != kept.images.end() && image->second == key.second) out[key] = bytes;
    }
    return out;
}

void Ec2Provider::count_reservations(ClassTypes& kept) {
    const int version = reservations_.book().version();
    if (kept.reservations == version || kept.status.reservations.empty()) return;
    kept.reservations = version;
    auto types = std::make_shared<std::vector<rules::InstanceType>>(*kept.types);
    set_reservation_counts(reservations_.book(), *types);
    kept.types = std::move(types);
}

void Ec2Provider::close_shifted_zones(std::vector<rules::InstanceType>& types) const {
    if (zonal_shift_.away_from().empty()) return;
    for (rules::InstanceType& type : types) {
        for (rules::Offering& offering : type.offerings) {
            const rules::Requirement* zone_id = offering.requirements.find(api::kZoneIdLabel);
            if (zone_id != nullptr && zone_id->is_single() &&
                zonal_shift_.away_from().contains(zone_id->values().front()))
                offering.available = false;
        }
    }
}

// What only the instance can say is asked for in the background: the next question knows it.
DriftAnswer Ec2Provider::drift(const api::NodeClaim& claim, const api::NodePool&,
                               const api::NodeClass* node_class) {
    if (node_class == nullptr || node_class->meta.deleted) return {DriftAnswer::Kind::kNotKnown};
    DriftFacts facts{claim, *node_class};
    if (const auto known = types_of(*node_class)) {
        const auto& images = (*known)->images;
        const auto image = images.find(api::find_or_empty(claim.meta.labels, api::kInstanceTypeLabel));
        if (image != images.end()) facts.image = image->second;
        facts.status = &(*known)->status;
        facts.placement_group = (*known)->group ? (*known)->group->id : "";
    }
    const std::string id = instance_id_in(claim.provider_id);
    if (!id.empty()) facts.instance = known_.find(id);
    DriftAnswer out = drift_of(facts);
    if (out.reason == kReservationDrift && !known_.is_as_fresh_as(id, kFresh))
        return {DriftAnswer::Kind::kNotKnown};
    return out;
}

// Only who leads asks; so nobody else reads the queue, looks after instances takes launch templates away or
// asks what is paid for.
void Ec2Provider::reconcile(const api::NodeClass& node_class, const ClassFacts& facts,
                            std::function<void(Result<WantedClassState>)> done) {
    queue_.start();
    status_watch_.start();
    if (settings_.enable_zonal_shift) zonal_shift_.start();
    if (settings_.account_commitments) commitments_.start();
    if (!launcher_.is_launching()) templates_.sweep();
    learned_.read(node_class);
    reconciler_.reconcile(node_class, facts,
                          [this, name = node_class.meta.name, done = std::move(done),
                           is_alive = is_alive_](Result<WantedClassState> wanted) {
                              if (!*is_alive) return;
                              if (wanted && !wanted->wants_finalizer) learned_.forget(name);
                              std::string learned = learned_.written(name);
                              if (wanted && !learned.empty())
                                  wanted->annotations[std::string(kLearnedMemoryAnnotation)] =
                                      std::move(learned);
                              done(std::move(wanted));
                          });
}

bool Ec2Provider::note_node(const api::NodeClaim& claim, const api::Node& node) {
    const std::string type(api::find_or_empty(claim.meta.labels, api::kInstanceTypeLabel));
    const std::int64_t bytes = rules::as_capacity(node.capacity).memory_bytes;
    const std::shared_ptr<const RegionFacts> facts = region_types_.facts();
    if (bytes <= 0 || facts == nullptr) return false;
    const auto info = std::find_if(facts->types.begin(), facts->types.end(),
                                   [&](const InstanceTypeInfo& each) { return each.name == type; });
    if (info == facts->types.end() || !is_likely_memory(*info, bytes)) return true;
    const std::string& node_class = claim.node_class.name;
    if (!learned_.note(node_class, type, claim.image_id, bytes)) return true;
    // Of an image that new nodes do not get, nobody's types change.
    const auto kept = types_.find(node_class);
    if (kept != types_.end() && kept->second.memory != memory_of(node_class, kept->second))
        reports_.offers_changed();
    return true;
}

std::vector<rules::RepairPolicy> Ec2Provider::repair_policies() const {
    return ec2::repair_policies(
        {.is_legacy = settings_.legacy_node_repair, .may_reboot = settings_.reboot_for_repair});
}

void Ec2Provider::create(const LaunchRequest& request, LaunchDone done) {
    launcher_.launch(request, std::move(done));
}

// The first call ends it; those after it look whether it has ended.
void Ec2Provider::remove(const std::string& provider_id, std::function<void(Status)> done) {
    const std::string id = instance_id_in(provider_id);
    if (id.empty()) {
        loop_.post([done = std::move(done), provider_id] { done(not_an_id_of_ours(provider_id)); });
        return;
    }
    if (ending_.contains(id)) return see_whether_it_ended(id, std::move(done));
    end(id, std::move(done));
}

void Ec2Provider::end(const std::string& id, std::function<void(Status)> done) {
    instances_.terminate(
        id, [this, id, done = std::move(done), is_alive = is_alive_](const aws::Answer<bool>& ended) {
            if (!*is_alive) return;
            if (ended) {
                ending_.insert(id);
                return done({});
            }
            if (ended.error().kind != ErrorKind::kNotFound) return done(tl::unexpected<Error>(ended.error()));
            done(gone(id));
        });
}

void Ec2Provider::see_whether_it_ended(const std::string& id, std::function<void(Status)> done) {
    instances_.get(id, [this, id, done = std::move(done),
                        is_alive = is_alive_](const aws::Answer<std::optional<InstanceInfo>>& info) {
        if (!*is_alive) return;
        if (!info) return done(tl::unexpected<Error>(info.error()));
        if (!*info || (*info)->state == "terminated") return done(gone(id));
        if ((*info)->state == "shutting-down") return done({});
        end(id, done);
    });
}

// What EC2 does not know may be one that it does not know yet.
Status Ec2Provider::gone(const std::string& id) {
    if (!ending_.contains(id) && launcher_.is_young(id))
        return fail(ErrorKind::kUnavailable, fmt::format("EC2 does not list the new instance {} yet", id));
    ending_.erase(id);
    launcher_.ended(id);
    return no_such_instance(id);
}

void Ec2Provider::get(const std::string& provider_id, std::function<void(Result<Instance>)> done) {
    const std::string id = instance_id_in(provider_id);
    if (id.empty()) {
        loop_.post([done = std::move(done), provider_id] { done(not_an_id_of_ours(provider_id)); });
        return;
    }
    instances_.get(id, [this, id, done = std::move(done),
                        is_alive = is_alive_](const aws::Answer<std::optional<InstanceInfo>>& info) {
        if (!*is_alive) return;
        if (!info) return done(tl::unexpected<Error>(info.error()));
        if (*info && (*info)->state != "terminated") return done(instance_of(**info, nullptr));
        if (!*info && !ending_.contains(id) && launcher_.is_young(id))
            return done(
                fail(ErrorKind::kUnavailable, fmt::format("EC2 does not list the new instance {} yet", id)));
        launcher_.ended(id);
        done(no_such_instance(id));
    });
}

void Ec2Provider::list(std::function<void(Result<std::vector<Instance>>)> done) {
    instances_.list([this, done = std::move(done),
                     is_alive = is_alive_](const aws::Answer<std::vector<InstanceInfo>>& all) {
        if (!*is_alive) return;
        if (!all) return done(tl::unexpected<Error>(all.error()));
        known_.note(*all);
        std::vector<Instance> out;
        for (const InstanceInfo& each : *all) out.push_back(instance_of(each, nullptr));
        done(std::move(out));
    });
}

void Ec2Provider::reboot(const api::NodeClaim& claim, const std::string&, std::function<void(Status)> done) {
    const std::string id = instance_id_in(claim.provider_id);
    if (id.empty()) {
        loop_.post([done = std::move(done), id = claim.provider_id] { done(not_an_id_of_ours(id)); });
        return;
    }
    const std::string_view zone_id = api::find_or_empty(claim.meta.labels, api::kZoneIdLabel);
    if (!zone_id.empty() && zonal_shift_.away_from().contains(std::string(zone_id))) {
        loop_.post([done = std::move(done), zone = std::string(zone_id)] {
            done(fail(
                ErrorKind::kInvalid,
                fmt::format("no instance is rebooted in zone {}, which traffic is shifted away from", zone)));
        });
        return;
    }
    ec2_.reboot_instances({id}, [done = std::move(done)](const aws::Answer<void>& answer) {
        if (!answer) return done(tl::unexpected<Error>(answer.error()));
        done({});
    });
}

}  // namespace joiner::cloud::ec2
