#include "cloud/ec2/user_data/bottlerocket.h"

#include <fmt/format.h>

// Errors of reading come as values.
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <sstream>

#include "cloud/ec2/user_data/kubelet_arguments.h"

namespace joiner::cloud::ec2 {
namespace {

// The table of that name; another value in its place gives way.
toml::table& table_in(toml::table& in, std::string_view name) {
    if (toml::table* found = in[name].as_table(); found != nullptr) return *found;
    return *in.insert_or_assign(name, toml::table{}).first->second.as_table();
}

toml::table as_table(const api::StringMap& map) {
    toml::table out;
    for (const auto& [key, value] : map) out.insert_or_assign(key, value);
    return out;
}

toml::table taint_table(const std::vector<api::Taint>& taints) {
    toml::table out;
    for (const api::Taint& taint : taints) {
        toml::array* of_key = out[taint.key].as_array();
        if (of_key == nullptr)
            of_key = out.insert_or_assign(taint.key, toml::array{}).first->second.as_array();
        of_key->push_back(fmt::format("{}:{}", taint.value, taint.effect));
    }
    return out;
}

toml::array words(std::initializer_list<const char*> list) {
    toml::array out;
    for (const char* const word : list) out.push_back(word);
    return out;
}

void mount_local_disks(const Bootstrap& bootstrap, toml::table& settings) {
    toml::array bind = words({"apiclient", "ephemeral-storage", "bind"});
    if (!bootstrap.knows_its_folders) {
        for (const char* const word : {"--dirs", "/var/lib/containerd", "/var/lib/kubelet", "/var/log/pods"})
            bind.push_back(word);
    }
    toml::array commands;
    commands.push_back(words({"apiclient", "ephemeral-storage", "init"}));
    commands.push_back(std::move(bind));
    toml::table& command = table_in(table_in(settings, "bootstrap-commands"), "000-mount-instance-storage");
    command.insert_or_assign("commands", std::move(commands));
    command.insert_or_assign("mode", "always");
    command.insert_or_assign("essential", true);
}

}  // namespace

Result<std::string> bottlerocket_settings(const Bootstrap& bootstrap) {
    toml::parse_result read = toml::parse(std::string_view(bootstrap.custom ? *bootstrap.custom : ""));
    if (!read)
        return invalid(fmt::format("spec.userData: is no TOML, which Bottlerocket wants: {} (line {})",
                                   std::string_view(read.error().description()),
                                   read.error().source().begin.line));
    toml::table document = std::move(read).table();
    toml::table& settings = table_in(document, "settings");
    toml::table& ours = table_in(settings, "kubernetes");
    const auto set = [&](std::string_view key, auto value) { ours.insert_or_assign(key, std::move(value)); };
    const auto set_map = [&](std::string_view key, const api::StringMap& map) {
        if (!map.empty()) set(key, as_table(map));
    };
    const KubeletSettings& kubelet = bootstrap.kubelet;
    set("cluster-name", bootstrap.cluster_name);
    set("api-server", bootstrap.endpoint);
    if (!bootstrap.ca_bundle.empty()) set("cluster-certificate", bootstrap.ca_bundle);
    toml::table& labels = table_in(ours, "node-labels");
    for (const auto& [key, value] : bootstrap.labels) labels.insert_or_assign(key, value);
    if (labels.empty()) ours.erase("node-labels");
    set("node-taints", taint_table(bootstrap.taints));
    set("max-pods", bootstrap.max_pods);
    if (const std::string dns = dns_of(bootstrap); !dns.empty()) set("cluster-dns-ip", dns);
    set_map("system-reserved", kubelet.system_reserved);
    set_map("kube-reserved", kubelet.kube_reserved);
    set_map("eviction-hard", kubelet.eviction_hard);
    set_map("eviction-soft", kubelet.eviction_soft);
    set_map("eviction-soft-grace-period", kubelet.eviction_soft_grace_period);
    if (kubelet.eviction_max_pod_grace_period)
        set("eviction-max-pod-grace-period", std::int64_t{*kubelet.eviction_max_pod_grace_period});
    if (kubelet.image_gc_high_threshold)
        set("image-gc-high-threshold-percent", std::to_string(*kubelet.image_gc_high_threshold));
    if (kubelet.image_gc_low_threshold)
        set("image-gc-low-threshold-percent", std::to_string(*kubelet.image_gc_low_threshold));
    if (kubelet.cpu_cfs_quota) set("cpu-cfs-quota-enforced", *kubelet.cpu_cfs_quota);
    if (bootstrap.uses_raid0) mount_local_disks(bootstrap, settings);
    std::ostringstream out;
    out << document;
    return out.str() + "\n";
}

}  // namespace joiner::cloud::ec2
