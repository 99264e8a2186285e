#include "cloud/kwok/kwok_provider.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "api/names.h"
#include "base/hash.h"
#include "cloud/kwok/node_class.h"
#include "cloud/kwok/repair_policies.h"
#include "cloud/kwok/sold_out.h"
#include "cloud/kwok/types_file.h"
#include "rules/conditions.h"

namespace joiner::cloud::kwok {
namespace {

constexpr std::string_view kProviderPrefix = "kwok://";
constexpr std::string_view kNodePrefix = "kwok-";
constexpr std::string_view kFakeKey = "kwok.x-k8s.io/node";

Instance make_instance(const api::NodeClaim& claim, const rules::InstanceType& type,
                       const rules::Offering& offering) {
    Instance out;
    out.provider_id = std::string(kProviderPrefix) + node_name(claim);
    out.claim_name = claim.meta.name;
    out.node_class = claim.node_class;
    out.capacity = type.capacity;
    out.allocatable = type.allocatable();
    for (const rules::Requirement& requirement : type.requirements) {
        if (requirement.is_single()) out.labels[requirement.key()] = requirement.values().front();
    }
    for (const rules::Requirement& requirement : offering.requirements) {
        if (requirement.is_single()) out.labels[requirement.key()] = requirement.values().front();
    }
    out.labels[std::string(api::kInstanceTypeLabel)] = type.name;
    out.labels[std::string(api::kHostnameLabel)] = claim.meta.name;
    out.labels[std::string(kFakeKey)] = "fake";
    out.labels["kwok-partition"] = "a";
    out.labels["eks-node-viewer/instance-price"] = fmt::format("{:.6f}", offering.price.dollars());
    return out;
}

api::Node make_node(const api::NodeClaim& claim, const Instance& instance) {
    api::Node node;
    node.meta.name = node_name(claim);
    node.meta.labels = claim.meta.labels;
    for (const auto& [key, value] : instance.labels) node.meta.labels[key] = value;
    node.meta.annotations = claim.meta.annotations;
    node.meta.annotations[std::string(kFakeKey)] = "fake";
    node.provider_id = instance.provider_id;
    node.taints = {{std::string(api::kUnregisteredTaint), "", std::string(api::kNoExecute), {}}};
    node.capacity = rules::to_resource_map(instance.capacity);
    node.allocatable = rules::to_resource_map(instance.allocatable);
    return node;
}

Instance instance_of(const api::Node& node) {
    Instance out;
    out.provider_id = node.provider_id;
    out.claim_name = api::find_or_empty(node.meta.labels, api::kHostnameLabel);
    out.labels = node.meta.labels;
    out.capacity = rules::as_capacity(node.capacity);
    out.allocatable = rules::as_capacity(node.allocatable);
    out.is_terminating = node.meta.deleted.has_value();
    return out;
}

// What the claim says it has become.
Instance as_recorded(const api::NodeClaim& claim) {
    Instance out;
    out.provider_id = claim.provider_id;
    out.image_id = claim.image_id;
    out.claim_name = claim.meta.name;
    out.node_class = claim.node_class;
    out.labels = claim.meta.labels;
    out.capacity = rules::as_capacity(claim.capacity);
    out.allocatable = rules::as_capacity(claim.allocatable);
    return out;
}

// The node's name; empty where the id is another provider's.
std::string name_in(const std::string& provider_id) {
    return provider_id.starts_with(kProviderPrefix) ? provider_id.substr(kProviderPrefix.size()) : "";
}

tl::unexpected<Error> not_an_id_of_ours(const std::string& provider_id) {
    return invalid(fmt::format("\"{}\" is not the id of a KWOK instance", provider_id));
}

}  // namespace

std::string node_name(const api::NodeClaim& claim) {
    const std::uint64_t h = fnv1a(claim.meta.uid);
    return fmt::format("{}{}-{}", kNodePrefix, claim.meta.name, 1'000'000'000 + h % 9'000'000'000);
}

KwokProvider::KwokProvider(io::Loop& loop, std::vector<rules::InstanceType> types, ClusterAccess access)
    : loop_(loop),
      types_(std::make_shared<const std::vector<rules::InstanceType>>(std::move(types))),
      labels_(labels_of(*types_)),
      access_(std::move(access)) {}

std::vector<NodeClassResource> KwokProvider::node_class_resources() const {
    return {{"karpenter.kwok.sh", "v1alpha1", "kwoknodeclasses", "KWOKNodeClass"}};
}

std::vector<rules::RepairPolicy> KwokProvider::repair_policies() const {
    return kwok_repair_policies();
}

template <typename T>
void KwokProvider::answer_soon(std::function<void(T)> done, T answer) {
    loop_.post([done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); });
}

void KwokProvider::create(const LaunchRequest& request, LaunchDone done) {
    const api::NodeClaim& claim = request.claim;
    if (const api::Node* node = access_.find_node(node_name(claim)); node != nullptr)
        return answer_soon<LaunchAnswer>(std::move(done), {instance_of(*node)});
    const Result<KwokClass> node_class = usable_class(*request.node_class);
    if (!node_class)
        return answer_soon<LaunchAnswer>(std::move(done), {tl::unexpected<Error>(node_class.error())});
    LaunchAnswer answer{
        fail(ErrorKind::kExhausted, "no instance type with an available offering meets the claim")};
    for (const LaunchChoice& choice : request.choices) {
        if (node_class->sold_out.covers(*choice.type, *choice.offering)) {
            answer.exhausted.push_back(choice.key());
            continue;
        }
        answer.taken = choice.key();
        Instance instance = make_instance(claim, *choice.type, *choice.offering);
        return bring_up(claim, std::move(instance), node_class->registration_delay,
                        [answer = std::move(answer), done = std::move(done)](Result<Instance> made) mutable {
                            answer.instance = std::move(made);
                            done(std::move(answer));
                        });
    }
    answer_soon(std::move(done), std::move(answer));
}

void KwokProvider::bring_up(const api::NodeClaim& claim, Instance instance, Duration delay,
                            std::function<void(Result<Instance>)> done) {
    const api::Node node = make_node(claim, instance);
    const auto post_node = [this, node](std::function<void(Status)> f) {
        access_.create_node(node, [f = std::move(f)](Status status) {
            // Made before: the same claim, asked for again. Refused for good: as with a real machine, it was
            // launched, and its node never registers.
            const bool is_launched = !status && (status.error().kind == ErrorKind::kConflict ||
                                                 status.error().kind == ErrorKind::kInvalid ||
                                                 status.error().kind == ErrorKind::kForbidden);
            if (is_launched) status = Status{};
            f(std::move(status));
        });
    };
    if (delay.count() <= 0) {
        return post_node([instance = std::move(instance), done = std::move(done)](Status status) {
            if (!status) return done(tl::unexpected<Error>(status.error()));
            done(instance);
        });
    }
    if (!delayed_.contains(node.meta.name)) {
        delayed_[node.meta.name] = loop_.after(delay, [this, post_node, name = node.meta.name] {
            delayed_.erase(name);
            post_node([](const Status&) {});
        });
    }
    answer_soon<Result<Instance>>(std::move(done), std::move(instance));
}

void KwokProvider::remove(const std::string& provider_id, std::function<void(Status)> done) {
    const std::string name = name_in(provider_id);
    if (name.empty())
        return loop_.post([done = std::move(done), provider_id] { done(not_an_id_of_ours(provider_id)); });
    if (const auto it = delayed_.find(name); it != delayed_.end()) {
        loop_.cancel(it->second);
        delayed_.erase(it);
    }
    // The node object is the instance: with its finalizer gone nothing is left, so "gone" is the answer at
    // once.
    access_.delete_node(name, [done = std::move(done)](Status status) {
        if (!status && status.error().kind != ErrorKind::kNotFound) return done(std::move(status));
        done(fail(ErrorKind::kNotFound, "the instance is gone"));
    });
}

void KwokProvider::get(const std::string& provider_id, std::function<void(Result<Instance>)> done) {
    const std::string name = name_in(provider_id);
    if (name.empty()) return answer_soon<Result<Instance>>(std::move(done), not_an_id_of_ours(provider_id));
    if (const api::Node* node = access_.find_node(name); node != nullptr)
        return answer_soon<Result<Instance>>(std::move(done), instance_of(*node));
    // A machine that is still starting is known by its claim alone, and starts on where another process began
    // it.
    const api::NodeClaim* claim = access_.claim_with_id(provider_id);
    if (claim == nullptr || claim->meta.deleted || rules::is_true(claim->conditions, "Registered"))
        return answer_soon<Result<Instance>>(std::move(done),
                                             fail(ErrorKind::kNotFound, "the instance is gone"));
    const api::NodeClass* there = access_.node_class(claim->node_class);
    const KwokClass node_class = there == nullptr ? KwokClass{} : usable_class(*there).value_or(KwokClass{});
    bring_up(*claim, as_recorded(*claim), node_class.registration_delay, std::move(done));
}

void KwokProvider::reboot(const api::NodeClaim& claim, const std::string& operation,
                          std::function<void(Status)> done) {
    if (claim.node_name.empty()) {
        return loop_.post([done = std::move(done), name = claim.meta.name] {
            done(fail(ErrorKind::kUnavailable, "NodeClaim " + name + " has no node to reboot yet"));
        });
    }
    access_.set_boot_id(claim.node_name, std::string(kNodePrefix) + operation, std::move(done));
}

void KwokProvider::list(std::function<void(Result<std::vector<Instance>>)> done) {
    std::vector<Instance> out;
    const rules::NodeClassKinds ours({kind_of(node_class_resources().front())});
    for (const api::Node& node : access_.nodes()) {
        // Another controller's pretend nodes have ids like ours.
        if (!name_in(node.provider_id).empty() && ours.are_named_by(node.meta.labels))
            out.push_back(instance_of(node));
    }
    loop_.post([done = std::move(done), out = std::move(out)]() mutable { done(std::move(out)); });
}

}  // namespace joiner::cloud::kwok
