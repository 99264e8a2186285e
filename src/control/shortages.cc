#include "control/sold_out_memory.h"

#include <set>
#include <string_view>

#include "api/names.h"

namespace joiner::control {
namespace {

// Upstream's. Long enough for a plan to fall to something else, short enough to find what has come back.
constexpr Duration kSoldOutFor = std::chrono::minutes{3};

std::string class_key(const api::NodeClassReference& node_class) {
    return node_class.group + "/" + node_class.kind + "/" + node_class.name;
}

std::string pool_of(const api::NodeClaim& claim) {
    return std::string(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel));
}

// What the type has beside cpu, memory and disk: a stock-out of machines with GPUs says nothing of others.
std::vector<std::string_view> devices_of(const rules::InstanceType& type) {
    std::vector<std::string_view> out;
    for (const auto& [name, amount] : type.capacity.extended) out.push_back(name);
    return out;
}

}  // namespace

cloud::InstanceTypes SoldOutMemory::instance_types(const api::NodePool& pool) {
    cloud::InstanceTypes own = own_.instance_types(pool);
    if (own == nullptr || !sold_out_.contains(class_key(pool.node_template.node_class))) return own;
    const Remembered& remembered = remembered_of(pool.node_template.node_class);
    Offered& offered = offered_[pool.meta.name];
    if (offered.own == own && offered.version == version_) return offered.types;
    auto types = std::make_shared<std::vector<rules::InstanceType>>(*own);
    for (rules::InstanceType& type : *types) {
        for (rules::Offering& offering : type.offerings) {
            const OfferingKey key{type.name, offering.zone(), offering.capacity_type()};
            if (remembered.until.contains(key)) offering.available = false;
        }
    }
    offered = {std::move(own), version_, std::move(types)};
    return offered.types;
}

SoldOutMemory::Remembered& SoldOutMemory::remembered_of(const api::NodeClassReference& node_class) {
    Remembered& out = sold_out_[class_key(node_class)];
    const auto it = cluster_.node_classes().find(node_class.name);
    if (it == cluster_.node_classes().end()) return out;
    const api::ObjectMeta& meta = it->second.node_class.meta;
    if (out.generation == meta.generation && out.annotations == meta.annotations) return out;
    out = {meta.generation, meta.annotations, {}};
    ++version_;
    return out;
}

void SoldOutMemory::create(const api::NodeClaim& claim, std::function<void(Result<cloud::Instance>)> done) {
    own_.create(claim, [this, claim, asked_at = loop_.now(),
                        done = std::move(done)](Result<cloud::Instance> instance) {
        if (instance) {
            failing_since_.erase(pool_of(claim));
        } else if (instance.error().kind == ErrorKind::kExhausted) {
            failed(claim, asked_at);
        }
        done(std::move(instance));
    });
}

// Launches are asked for by the plan. Where those of a second plan fail too, what is left will hardly be
// better, and each further try would be for smaller machines and more of them.
void SoldOutMemory::failed(const api::NodeClaim& claim, WallTime asked_at) {
    const model::PoolState* pool = cluster_.find_pool(pool_of(claim));
    if (pool == nullptr) return;
    const auto [since, is_first] = failing_since_.try_emplace(pool_of(claim), loop_.now());
    remember(claim, pool->pool, !is_first && asked_at > since->second);
}

void SoldOutMemory::remember(const api::NodeClaim& claim, const api::NodePool& pool, bool with_others) {
    auto wanted = rules::make_requirements(claim.requirements);
    const cloud::InstanceTypes types = own_.instance_types(pool);
    if (types == nullptr || !wanted) return;
    const rules::Resources requests = rules::as_request(claim.requests);
    std::set<std::vector<std::string_view>> devices;
    const auto is_allowed = [&](const rules::InstanceType& type) {
        return rules::intersects(*wanted, type.requirements) && rules::fits(requests, type.allocatable());
    };
    for (const rules::InstanceType& type : *types) {
        if (with_others && is_allowed(type)) devices.insert(devices_of(type));
    }
    rules::Requirements where = *wanted;
    where.remove(api::kInstanceTypeLabel);
    const WallTime until = loop_.now() + kSoldOutFor;
    Remembered& remembered = remembered_of(claim.node_class);
    for (const rules::InstanceType& type : *types) {
        const bool is_alike =
            with_others && devices.contains(devices_of(type)) && rules::intersects(where, type.requirements);
        if (!is_alike && !is_allowed(type)) continue;
        for (const rules::Offering& offering : type.offerings) {
            if (!rules::compatible(*wanted, offering.requirements, &labels().well_known)) continue;
            remembered
                .until[{type.name, std::string(offering.zone()), std::string(offering.capacity_type())}] =
                until;
        }
    }
    ++version_;
    loop_.after(kSoldOutFor, [this] { forget(); });
}

void SoldOutMemory::forget() {
    const WallTime now = loop_.now();
    for (auto& [node_class, remembered] : sold_out_)
        std::erase_if(remembered.until, [&](const auto& item) { return item.second <= now; });
    std::erase_if(sold_out_, [](const auto& item) { return item.second.until.empty(); });
    std::erase_if(failing_since_, [&](const auto& item) { return item.second + kSoldOutFor <= now; });
    if (sold_out_.empty()) offered_.clear();
    ++version_;
}

}  // namespace joiner::control
