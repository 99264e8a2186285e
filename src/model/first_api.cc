#include "model/first_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "api/first_api.h"
#include "api/names.h"
#include "base/hash.h"

namespace joiner::model {
namespace {

std::string joined(const std::vector<std::string>& sentences) {
    return fmt::format("{}", fmt::join(sentences, "; "));
}

std::string problem_of(const Result<api::FirstApiClass>& made) {
    if (!made) return made.error().message;
    if (!made->problems.empty()) return joined(made->problems);
    if (!made->launch_template.empty()) {
        return fmt::format(
            "launchTemplate {} has no counterpart today: say in the template itself what it "
            "held (images, groups, disks, user data), and take launchTemplate out",
            made->launch_template);
    }
    // The first API's controller had a setting for where it is not said.
    if (made->spec.find("\"instanceProfile\":") == std::string::npos)
        return "instanceProfile is missing: name the instance profile that the nodes are to have";
    return {};
}

MadeClass make(std::string name, std::string made_from, const Result<api::FirstApiClass>& made) {
    MadeClass out{std::move(name), std::move(made_from), made ? api::first_api_served_spec(made->spec) : "",
                  "", problem_of(made)};
    out.hash = std::to_string(fnv1a(out.spec));
    return out;
}

std::string template_document(const api::NodeClass& node_template) {
    return fmt::format("{{\"metadata\":{{\"name\":\"{}\"}},\"spec\":{}}}", node_template.meta.name,
                       node_template.spec);
}

bool is_made_name(const api::NodeClassReference& reference) {
    return reference.group == kEc2Group && reference.kind == kEc2ClassKind;
}

}  // namespace

std::vector<MadeClass> made_classes(const Cluster& cluster) {
    std::map<std::string, MadeClass> out;
    for (const auto& [name, kept] : cluster.aws_node_templates()) {
        if (kept.object.meta.deleted) continue;
        out.emplace(name, make(name, "AWSNodeTemplate/" + name,
                               api::first_api_class_of_template(template_document(kept.object), "")));
    }
    for (const auto& [name, kept] : cluster.provisioners()) {
        const api::Provisioner& provisioner = kept.object;
        const api::NodeClassReference& reference = provisioner.pool.node_template.node_class;
        if (provisioner.meta.deleted || !is_made_name(reference) || out.contains(reference.name)) continue;
        const std::string source = "Provisioner/" + name;
        if (provisioner.has_inline_provider) {
            out.emplace(reference.name,
                        make(reference.name, source, api::first_api_class_of_provider(provisioner.document)));
        } else if (!provisioner.kubelet.empty()) {
            const auto found = cluster.aws_node_templates().find(provisioner.node_template);
            if (found == cluster.aws_node_templates().end()) continue;
            out.emplace(reference.name,
                        make(reference.name, source,
                             api::first_api_class_of_template(template_document(found->second.object),
                                                              provisioner.kubelet)));
        }
    }
    std::vector<MadeClass> sorted;
    for (auto& [name, one] : out) sorted.push_back(std::move(one));
    return sorted;
}

std::string made_class_problem(const Cluster& cluster, const std::vector<MadeClass>& made,
                               const api::NodePool& pool) {
    const api::NodeClassReference& reference = pool.node_template.node_class;
    const auto found = cluster.provisioners().find(pool.meta.name);
    if (!pool.is_provisioner || !is_made_name(reference) || found == cluster.provisioners().end()) return {};
    const api::Provisioner& provisioner = found->second.object;
    if (!provisioner.has_inline_provider && provisioner.node_template.empty()) return {};
    const std::string template_kind = "AWSNodeTemplate " + provisioner.node_template;
    if (!provisioner.has_inline_provider && !cluster.aws_node_templates().contains(provisioner.node_template))
        return template_kind + " does not exist";
    for (const MadeClass& one : made) {
        if (one.name != reference.name) continue;
        if (!one.problem.empty())
            return fmt::format("{}: {}", provisioner.has_inline_provider ? "spec.provider" : template_kind,
                               one.problem);
        const auto there = cluster.find_node_class(reference);
        if (there == nullptr || is_adopted(cluster, reference)) return {};
        if (api::find_or_empty(there->meta.annotations, api::kMadeFromAnnotation) == one.made_from) return {};
        return fmt::format(
            "EC2NodeClass {} exists and was not made of {}: rename one of them, or refer to it "
            "in spec.providerRef (apiVersion karpenter.k8s.aws/v1, kind EC2NodeClass)",
            one.name, one.made_from);
    }
    return {};
}

bool is_adopted(const Cluster& cluster, const api::NodeClassReference& node_class) {
    return std::ranges::any_of(cluster.pools(), [&](const auto& item) {
        return !item.second.pool.is_provisioner && item.second.pool.node_template.node_class == node_class;
    });
}

}  // namespace joiner::model
