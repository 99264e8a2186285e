// A cluster as `kubectl get -o json` has it, for tests of plans: what a test does not say is as most clusters
// have it.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/plan/cluster_plan.h"

namespace joiner::cli::testing {

using Json = nlohmann::json;
using Labels = std::map<std::string, std::string>;

struct NodeText {
    std::string name;
    std::string group = "workers";  // Of EKS; empty: none.
    std::string type = "m5.xlarge";
    std::string zone = "us-east-1a";
    std::string provider = "aws:///";
    int cores = 4;
    int gib = 16;
    Labels labels = {};
    Json taints = Json::array();
    bool is_ready = true;
};

struct PodText {
    std::string name;
    std::string node = {};  // Empty: it waits.
    std::string cpu = "500m";
    std::string memory = "512Mi";
    std::string owner = "ReplicaSet";  // Empty: none.
    Labels labels = {};
    Labels annotations = {};
    Json spec = Json::object();  // More of it.
};

class ClusterText {
  public:
    ClusterText& add(Json object) {
        items_.push_back(std::move(object));
        return *this;
    }
    ClusterText& add(const NodeText& node) {
        Labels labels = node.labels;
        labels["kubernetes.io/hostname"] = node.name;
        labels["kubernetes.io/arch"] = "amd64";
        labels["kubernetes.io/os"] = "linux";
        if (!node.type.empty()) labels["node.kubernetes.io/instance-type"] = node.type;
        if (!node.zone.empty()) labels["topology.kubernetes.io/zone"] = node.zone;
        if (!node.group.empty()) {
            labels["eks.amazonaws.com/nodegroup"] = node.group;
            labels["eks.amazonaws.com/capacityType"] = "ON_DEMAND";
        }
        const std::string memory = std::to_string(node.gib) + "Gi";
        return add(
            {{"apiVersion", "v1"},
             {"kind", "Node"},
             {"metadata", {{"name", node.name}, {"labels", labels}}},
             {"spec",
              {{"providerID", node.provider.empty() ? "" : node.provider + node.zone + "/" + node.name},
               {"taints", node.taints}}},
             {"status",
              {{"capacity", {{"cpu", std::to_string(node.cores)}, {"memory", memory}, {"pods", "58"}}},
               {"allocatable",
                {{"cpu", std::to_string(node.cores * 1000 - 80) + "m"},
                 {"memory", std::to_string(node.gib * 1024 - 1000) + "Mi"},
                 {"pods", "58"}}},
               {"conditions", {{{"type", "Ready"}, {"status", node.is_ready ? "True" : "False"}}}}}}});
    }
    ClusterText& add(const PodText& pod) {
        Json spec = pod.spec;
        if (!pod.node.empty()) spec["nodeName"] = pod.node;
        spec["containers"] = {{{"name", "c"},
                               {"image", "i"},
                               {"resources", {{"requests", {{"cpu", pod.cpu}, {"memory", pod.memory}}}}}}};
        Json meta = {{"namespace", "shop"},
                     {"name", pod.name},
                     {"uid", pod.name},
                     {"labels", pod.labels},
                     {"annotations", pod.annotations}};
        if (!pod.owner.empty())
            meta["ownerReferences"] = {{{"apiVersion", "apps/v1"},
                                        {"kind", pod.owner},
                                        {"name", "o"},
                                        {"uid", "o"},
                                        {"controller", true}}};
        return add({{"apiVersion", "v1"},
                    {"kind", "Pod"},
                    {"metadata", meta},
                    {"spec", spec},
                    {"status", {{"phase", pod.node.empty() ? "Pending" : "Running"}}}});
    }
    ClusterText& add_budget(const std::string& name, const Labels& selected, int allowed) {
        return add({{"apiVersion", "policy/v1"},
                    {"kind", "PodDisruptionBudget"},
                    {"metadata", {{"namespace", "shop"}, {"name", name}}},
                    {"spec", {{"minAvailable", 1}, {"selector", {{"matchLabels", selected}}}}},
                    {"status", {{"disruptionsAllowed", allowed}}}});
    }
    const std::vector<Json>& items() const { return items_; }

    // As the command plans for a dump of it, with four types to buy: the built-in catalogue has too many for
    // tests of many clusters.
    Result<ClusterPlan> plan_with_few_types() const {
        Json types = Json::array();
        const auto add_type = [&](const std::string& name, int cores, double price) {
            Json offerings = Json::array();
            for (const char* zone : {"us-east-1a", "us-east-1b", "us-east-1c"})
                offerings.push_back(
                    {{"Price", price},
                     {"Available", true},
                     {"Requirements",
                      {{{"key", "topology.kubernetes.io/zone"}, {"operator", "In"}, {"values", {zone}}},
                       {{"key", "karpenter.sh/capacity-type"},
                        {"operator", "In"},
                        {"values", {"on-demand"}}}}}});
            types.push_back({{"name", name},
                             {"architecture", "amd64"},
                             {"operatingSystems", {"linux"}},
                             {"resources",
                              {{"cpu", std::to_string(cores)},
                               {"memory", std::to_string(4 * cores) + "Gi"},
                               {"pods", "58"}}},
                             {"offerings", offerings}});
        };
        add_type("m5.large", 2, 0.096);
        add_type("m5.xlarge", 4, 0.192);
        add_type("m5.2xlarge", 8, 0.384);
        add_type("m5a.2xlarge", 8, 0.344);
        const std::filesystem::path path = temporary("types");
        std::ofstream(path) << types.dump();
        PlanOptions options;
        options.instance_types = path.string();
        auto out = plan(std::move(options));
        std::filesystem::remove(path);
        return out;
    }

    // As the command plans for a dump of it.
    Result<ClusterPlan> plan(PlanOptions options = {}) const {
        const std::filesystem::path path = temporary("cluster");
        std::ofstream(path) << Json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", items_}}.dump();
        options.files = {path.string()};
        auto out = plan_cluster(options);
        std::filesystem::remove(path);
        return out;
    }

  private:
    static std::filesystem::path temporary(const std::string& what) {
        return std::filesystem::temp_directory_path() /
               ("joiner-plan-" + what + "-" + std::to_string(getpid()) + ".json");
    }

    std::vector<Json> items_;
};

}  // namespace joiner::cli::testing
