#include "control/first_api_keeper.h"

#include <nlohmann/json.hpp>
#include <set>

#include "act/object_writer.h"
#include "api/codec.h"
#include "api/names.h"
#include "control/node_class_resource.h"

namespace joiner::control {
namespace {

using Json = nlohmann::json;

api::NodeClassReference reference_of(const std::string& name) {
    return {std::string(model::kEc2Group), std::string(model::kEc2ClassKind), name};
}

std::optional<kube::Resource> ec2_classes(const cloud::Providers& providers) {
    return find_resource(providers, reference_of({}));
}

std::string_view source_of(const api::NodeClass& node_class) {
    return api::find_or_empty(node_class.meta.annotations, api::kMadeFromAnnotation);
}

// What the first API's status knows of what today's says: the members of each item that it has.
Json found_things(const Json& status, const char* list, const std::vector<const char*>& members) {
    Json out = Json::array();
    const auto items = status.find(list);
    if (items == status.end() || !items->is_array()) return out;
    for (const Json& item : *items) {
        Json one = Json::object();
        for (const char* member : members) {
            if (item.contains(member)) one[member] = item[member];
        }
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace

void FirstApiKeeper::reconcile() {
    for (const auto& [name, state] : services_.cluster.our_claims()) hand_over(state.claim);
    keep_classes();
}

// A NodePool that has taken a Provisioner's name has its nodes too: they must not go with the Provisioner.
void FirstApiKeeper::hand_over(const api::NodeClaim& claim) {
    const auto is_provisioner = [](const api::OwnerReference& owner) { return owner.kind == "Provisioner"; };
    if (std::ranges::none_of(claim.meta.owners, is_provisioner) || claim.meta.deleted) return;
    const model::PoolState* pool =
        services_.cluster.find_pool(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel));
    if (pool == nullptr || pool->pool.is_provisioner || !pool->is_ours) return;
    if (!patches_.may_send(kube::kNodeClaims, claim.meta)) return;
    std::vector<api::OwnerReference> owners = claim.meta.owners;
    for (api::OwnerReference& owner : owners) {
        if (!is_provisioner(owner)) continue;
        owner.api_version = pool->pool.api_version();
        owner.kind = pool->pool.kind();
        owner.uid = pool->pool.meta.uid;
    }
    patches_.send(kube::kNodeClaims, claim.meta, "",
                  act::dump({{"metadata",
                              {{"resourceVersion", claim.meta.resource_version},
                               {"ownerReferences", Json::parse(api::encode_owners(owners))}}}}));
}

void FirstApiKeeper::keep_classes() {
    if (!ec2_classes(services_.providers)) return;
    std::set<std::string> wanted;
    for (const model::MadeClass& one : model::made_classes(services_.cluster)) {
        wanted.insert(one.name);
        if (one.problem.empty()) keep(one);
    }
    std::vector<std::shared_ptr<const api::NodeClass>> orphans;
    for (const auto& [reference, node_class] : services_.cluster.node_classes()) {
        const bool is_made = reference.group == model::kEc2Group && !source_of(*node_class).empty();
        if (is_made && !wanted.contains(reference.name)) orphans.push_back(node_class);
    }
    for (const auto& one : orphans) let_go(*one);
    for (const auto& [name, kept] : services_.cluster.aws_node_templates()) tell_template(kept.object);
}

void FirstApiKeeper::keep(const model::MadeClass& wanted) {
    const auto there = services_.cluster.find_node_class(reference_of(wanted.name));
    if (there == nullptr) return create(wanted);
    if (source_of(*there) != wanted.made_from || there->meta.deleted) return;
    const kube::Resource resource = *ec2_classes(services_.providers);
    if (!patches_.may_send(resource, there->meta)) return;
    if (model::is_adopted(services_.cluster, there->reference())) return let_go(*there);
    if (api::find_or_empty(there->meta.annotations, api::kMadeSpecAnnotation) == wanted.hash) return;
    replace_spec(*there, wanted);
}

// Whole: what the source says no more goes too.
void FirstApiKeeper::replace_spec(const api::NodeClass& there, const model::MadeClass& wanted) {
    const kube::Resource resource = *ec2_classes(services_.providers);
    if (!requests_.may_act(wanted.name, there.meta.resource_version, services_.loop.now())) return;
    const Json patch = Json::array(
        {{{"op", "test"}, {"path", "/metadata/resourceVersion"}, {"value", there.meta.resource_version}},
         {{"op", "replace"}, {"path", "/spec"}, {"value", Json::parse(wanted.spec)}},
         {{"op", "add"},
          {"path", "/metadata/annotations/joiner.sh~1made-from-hash"},
          {"value", wanted.hash}}});
    requests_.begin(wanted.name);
    services_.client.patch(resource, "", wanted.name, "", kube::PatchType::kJson, act::dump(patch),
                           [this, name = wanted.name](const Result<std::string>& result) {
                               act::settle(services_, requests_, name, result, "change EC2NodeClass " + name);
                           });
}

void FirstApiKeeper::create(const model::MadeClass& wanted) {
    const WallTime now = services_.loop.now();
    if (!requests_.may_act(wanted.name, "0", now)) return;
    const kube::Resource resource = *ec2_classes(services_.providers);
    const Json body = {
        {"apiVersion", std::string(resource.group) + "/" + std::string(resource.version)},
        {"kind", resource.kind},
        {"metadata",
         {{"name", wanted.name},
          {"annotations",
           {{api::kMadeFromAnnotation, wanted.made_from}, {api::kMadeSpecAnnotation, wanted.hash}}}}},
        {"spec", Json::parse(wanted.spec)}};
    requests_.begin(wanted.name);
    services_.client.create(
        resource, "", act::dump(body), [this, name = wanted.name](const Result<std::string>& result) {
            act::settle(services_, requests_, name, result, "create EC2NodeClass " + name);
        });
}

// Who refers to it by name keeps it; otherwise it goes, once no claim is left.
void FirstApiKeeper::let_go(const api::NodeClass& node_class) {
    const kube::Resource resource = *ec2_classes(services_.providers);
    if (node_class.meta.deleted || !patches_.may_send(resource, node_class.meta)) return;
    if (model::is_adopted(services_.cluster, node_class.reference())) {
        patches_.send(
            resource, node_class.meta, "",
            act::dump({{"metadata",
                        {{"annotations",
                          {{api::kMadeFromAnnotation, nullptr}, {api::kMadeSpecAnnotation, nullptr}}}}}}));
        return;
    }
    // What it was made of may only have been out of sight; its nodes are not to lose their class by that.
    const bool is_in_use = std::ranges::any_of(services_.cluster.claims(), [&](const auto& item) {
        return item.second.claim.node_class == node_class.reference();
    });
    if (is_in_use) return;
    const std::string& name = node_class.meta.name;
    const WallTime now = services_.loop.now();
    if (!requests_.may_act(name, "0", now)) return;
    requests_.begin(name);
    services_.client.remove(resource, "", name, {node_class.meta.uid, node_class.meta.resource_version},
                            [this, name](const Result<std::string>& result) {
                                act::settle(services_, requests_, name, result,
                                            "delete EC2NodeClass " + name);
                            });
}

void FirstApiKeeper::tell_template(const api::NodeClass& node_template) {
    const auto made = services_.cluster.find_node_class(reference_of(node_template.meta.name));
    if (made == nullptr || source_of(*made) != "AWSNodeTemplate/" + node_template.meta.name) return;
    const Json found = Json::parse(made->status, nullptr, false);
    if (!found.is_object() || !patches_.may_send(kube::kAwsNodeTemplates, node_template.meta)) return;
    Json status = {{"subnets", found_things(found, "subnets", {"id", "zone"})},
                   {"securityGroups", found_things(found, "securityGroups", {"id", "name"})},
                   {"amis", found_things(found, "amis", {"id", "name", "requirements"})},
                   {"conditions", found.value("conditions", Json::array())}};
    const Json there = Json::parse(node_template.status, nullptr, false);
    const bool is_said = there.is_object() && std::ranges::all_of(status.items(), [&](const auto& item) {
                             return there.value(item.key(), Json::array()) == item.value();
                         });
    if (is_said) return;
    patches_.send(kube::kAwsNodeTemplates, node_template.meta, "status",
                  act::dump({{"status", std::move(status)}}));
}

}  // namespace joiner::control
