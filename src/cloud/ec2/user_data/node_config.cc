#include "cloud/ec2/user_data/node_config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>

#include "cloud/ec2/user_data/kubelet_arguments.h"

namespace joiner::cloud::ec2 {
namespace {

using Json = nlohmann::json;

// Every string in quotes: "1" and "true" stay strings.
void emit(YAML::Emitter& out, const Json& json) {
    switch (json.type()) {
        case Json::value_t::object:
            if (json.empty()) out << YAML::Flow;
            out << YAML::BeginMap;
            for (const auto& [key, value] : json.items()) {
                out << YAML::Key << key << YAML::Value;
                emit(out, value);
            }
            out << YAML::EndMap;
            return;
        case Json::value_t::array:
            if (json.empty()) out << YAML::Flow;
            out << YAML::BeginSeq;
            for (const Json& item : json) emit(out, item);
            out << YAML::EndSeq;
            return;
        case Json::value_t::string:
            out << YAML::DoubleQuoted << json.get<std::string>();
            return;
        case Json::value_t::boolean:
            out << json.get<bool>();
            return;
        default:
            out << json.dump();
            return;
    }
}

Json as_json(const api::Taint& taint) {
    Json out = {{"key", taint.key}, {"effect", taint.effect}};
    if (!taint.value.empty()) out["value"] = taint.value;
    return out;
}

}  // namespace

std::string node_config(const Bootstrap& bootstrap) {
    Json config = Json::parse(bootstrap.kubelet.json, nullptr, false);
    if (!config.is_object()) config = Json::object();
    config["maxPods"] = bootstrap.max_pods;
    // What expressions have come to.
    if (config.contains("kubeReserved")) config["kubeReserved"] = bootstrap.kubelet.kube_reserved;
    if (config.contains("systemReserved")) config["systemReserved"] = bootstrap.kubelet.system_reserved;
    if (!config.contains("clusterDNS") && !bootstrap.cluster_dns.empty())
        config["clusterDNS"] = Json::array({bootstrap.cluster_dns});
    if (!bootstrap.taints.empty()) {
        Json& taints = config["registerWithTaints"] = Json::array();
        for (const api::Taint& taint : bootstrap.taints) taints.push_back(as_json(taint));
    }
    Json kubelet = {{"config", std::move(config)}};
    if (!bootstrap.labels.empty())
        kubelet["flags"] = {fmt::format("--node-labels=\"{}\"", joined(bootstrap.labels, '='))};
    Json storage = Json::object();
    if (bootstrap.uses_raid0) storage["strategy"] = "RAID0";
    const Json document = {{"apiVersion", "node.eks.aws/v1alpha1"},
                           {"kind", "NodeConfig"},
                           {"metadata", Json::object()},
                           {"spec",
                            {{"cluster",
                              {{"apiServerEndpoint", bootstrap.endpoint},
                               {"certificateAuthority", bootstrap.ca_bundle},
                               {"cidr", bootstrap.service_cidr},
                               {"name", bootstrap.cluster_name}}},
                             {"containerd", Json::object()},
                             {"instance", {{"localStorage", std::move(storage)}}},
                             {"kubelet", std::move(kubelet)}}}};
    YAML::Emitter out;
    emit(out, document);
    return fmt::format("# Made by Joiner\n{}\n", out.c_str());
}

bool is_node_config(const std::string& text) {
    try {
        return YAML::Load(text).IsMap();
    } catch (const YAML::Exception&) {
        return false;
    }
}

}  // namespace joiner::cloud::ec2
