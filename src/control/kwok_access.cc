#include "control/kwok_access.h"

#include <nlohmann/json.hpp>

#include "act/object_writer.h"
#include "api/codec.h"

namespace joiner::control {
namespace {

std::function<void(Result<std::string>)> status_of(std::function<void(Status)> done) {
    return [done = std::move(done)](Result<std::string> result) {
        if (result)
            done({});
        else
            done(tl::unexpected<Error>(result.error()));
    };
}

}  // namespace

cloud::kwok::ClusterAccess kwok_access(const ProviderGround& ground) {
    cloud::kwok::ClusterAccess access;
    const model::Cluster& cluster = ground.cluster;
    access.create_node = [ground](const api::Node& node, std::function<void(Status)> done) {
        ground.client.create(
            kube::kNodes, "", api::encode_node(node),
            [ground, name = node.meta.name, done = status_of(std::move(done))](Result<std::string> result) {
                if (!result && result.error().kind != ErrorKind::kConflict)
                    ground.notices.failed("create Node " + name, result.error());
                done(std::move(result));
            });
    };
    access.delete_node = [ground](const std::string& name, std::function<void(Status)> done) {
        // Already on its way out: the finalizer is ours to remove, there is nothing to ask the server.
        const model::NodeState* node = ground.cluster.find_node(name);
        if (node == nullptr || node->node.meta.deleted) {
            return ground.loop.post(
                [done = std::move(done)] { done(fail(ErrorKind::kNotFound, "the node is gone")); });
        }
        ground.client.remove(kube::kNodes, "", name, {}, status_of(std::move(done)));
    };
    access.set_boot_id = [ground](const std::string& node, const std::string& boot_id,
                                  std::function<void(Status)> done) {
        const std::string body = act::dump(nlohmann::json{{"status", {{"nodeInfo", {{"bootID", boot_id}}}}}});
        ground.client.patch(kube::kNodes, "", node, "status", kube::PatchType::kMerge, body,
                            status_of(std::move(done)));
    };
    access.nodes = [&cluster] {
        std::vector<api::Node> out;
        for (const auto& [name, state] : cluster.nodes()) out.push_back(state.node);
        return out;
    };
    access.find_node = [&cluster](const std::string& name) -> const api::Node* {
        const model::NodeState* node = cluster.find_node(name);
        return node == nullptr ? nullptr : &node->node;
    };
    access.claim_with_id = [&cluster](const std::string& provider_id) -> const api::NodeClaim* {
        const model::ClaimState* claim = cluster.claim_with_id(provider_id);
        return claim == nullptr ? nullptr : &claim->claim;
    };
    access.node_class = [&cluster](const api::NodeClassReference& reference) -> const api::NodeClass* {
        return cluster.find_node_class(reference).get();
    };
    return access;
}

}  // namespace joiner::control
