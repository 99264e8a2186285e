// A Provisioner of the first API as the pool that it is today.
#include "api/codec.h"
#include "api/first_api.h"
#include "api/names.h"

namespace joiner::api {
namespace {

// The first API had no budgets: empty nodes went all at once, consolidation took as many as it gained by, and
// drifted nodes went one after the other.
std::vector<Budget> first_api_budgets() {
    return {{"100%", true, {"Empty", "Underutilized"}, {}, {}}, {"10%", true, {"Drifted"}, {}, {}}};
}

void add_problem(std::string& problems, const std::string& problem) {
    if (!problems.empty()) problems += "; ";
    problems += problem;
}

}  // namespace

Result<Provisioner> decode_provisioner(std::string_view json) {
    // The metadata and the status are today's; its spec is not.
    TRY(NodePool as_it_is, decode_node_pool(json));
    Provisioner out;
    out.meta = as_it_is.meta;
    const auto reference = first_api_reference(json);
    const NodeClassReference node_class =
        reference ? first_api_class_name(out.meta.name, *reference) : NodeClassReference{};
    std::string problems = reference ? "" : reference.error().message;
    if (reference) {
        const bool is_of_ec2 = node_class.group == "karpenter.k8s.aws";
        const auto pool =
            first_api_pool(json, node_class, is_of_ec2 ? Defaults::kWritten : Defaults::kCommon);
        if (pool) {
            TRY(out.pool, decode_node_pool(pool->node_pool));
            for (const std::string& problem : pool->problems) add_problem(problems, problem);
            out.lost = pool->lost;
        } else {
            add_problem(problems, pool.error().message);
        }
        out.has_inline_provider = reference->has_inline_provider;
        if (!out.has_inline_provider && reference->is_aws_node_template())
            out.node_template = reference->provider_ref.name;
        if (!first_api_kubelet(reference->kubelet).empty()) out.kubelet = reference->kubelet;
        if (out.has_inline_provider) {
            out.document = std::string(json);
            if (const auto made = first_api_class_of_provider(json)) {
                for (const std::string& problem : made->problems) add_problem(problems, problem);
                out.lost.insert(out.lost.end(), made->lost.begin(), made->lost.end());
            }
        }
    }
    if (!problems.empty()) add_problem(out.pool.spec_problem, problems);
    out.pool.is_provisioner = true;
    out.pool.meta = as_it_is.meta;
    out.pool.node_template.labels.insert_or_assign(std::string(kProvisionerLabel), out.meta.name);
    out.pool.budgets = first_api_budgets();
    out.pool.status_resources = std::move(as_it_is.status_resources);
    out.pool.status_nodes = as_it_is.status_nodes;
    out.pool.node_class_observed_generation = as_it_is.node_class_observed_generation;
    out.pool.conditions = std::move(as_it_is.conditions);
    return out;
}

}  // namespace joiner::api
