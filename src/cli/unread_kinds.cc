#include "cli/unread_kinds.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "cli/grouping.h"

namespace joiner::cli {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostKinds = 60;
constexpr int kMaxDepth = 100;

// Kubernetes' own groups: what they have besides the workloads stands for no pods.
bool is_built_in_group(std::string_view group) {
    static const std::set<std::string_view> kGroups = {"",
                                                       "apps",
                                                       "batch",
                                                       "autoscaling",
                                                       "policy",
                                                       "extensions",
                                                       "gateway.networking.k8s.io",
                                                       "gateway.networking.x-k8s.io",
                                                       "snapshot.storage.k8s.io",
                                                       "metrics.k8s.io",
                                                       "kustomize.config.k8s.io",
                                                       "config.karpenter.sh",
                                                       "karpenter.sh",
                                                       "karpenter.k8s.aws"};
    if (kGroups.contains(group)) return true;
    // "rbac.authorization.k8s.io", "networking.k8s.io"; those of projects have names of their own before it.
    static const std::set<std::string_view> kServed = {"admissionregistration.k8s.io",
                                                       "apiextensions.k8s.io",
                                                       "apiregistration.k8s.io",
                                                       "authentication.k8s.io",
                                                       "authorization.k8s.io",
                                                       "certificates.k8s.io",
                                                       "coordination.k8s.io",
                                                       "discovery.k8s.io",
                                                       "events.k8s.io",
                                                       "flowcontrol.apiserver.k8s.io",
                                                       "internal.apiserver.k8s.io",
                                                       "networking.k8s.io",
                                                       "node.k8s.io",
                                                       "rbac.authorization.k8s.io",
                                                       "resource.k8s.io",
                                                       "scheduling.k8s.io",
                                                       "storage.k8s.io",
                                                       "storagemigration.k8s.io"};
    return kServed.contains(group);
}

// Kinds that stand for pods even where their spec does not show it.
bool is_known_to_make_pods(std::string_view group, std::string_view kind) {
    static const std::set<std::pair<std::string_view, std::string_view>> kKnown = {
        {"acid.zalan.do", "postgresql"},
        {"apm.k8s.elastic.co", "ApmServer"},
        {"app.redislabs.com", "RedisEnterpriseCluster"},
        {"argoproj.io", "Application"},
        {"argoproj.io", "ApplicationSet"},
        {"argoproj.io", "CronWorkflow"},
        {"argoproj.io", "Workflow"},
        {"ceph.rook.io", "CephCluster"},
        {"ceph.rook.io", "CephFilesystem"},
        {"ceph.rook.io", "CephFilesystemMirror"},
        {"ceph.rook.io", "CephNFS"},
        {"ceph.rook.io", "CephObjectStore"},
        {"ceph.rook.io", "CephRBDMirror"},
        {"core.libopenstorage.org", "StorageCluster"},
        {"core.strimzi.io", "StrimziPodSet"},
        {"elasticsearch.k8s.elastic.co", "Elasticsearch"},
        {"enterprisesearch.k8s.elastic.co", "EnterpriseSearch"},
        {"etcd.database.coreos.com", "EtcdCluster"},
        {"flink.apache.org", "FlinkDeployment"},
        {"helm.cattle.io", "HelmChart"},
        {"helm.toolkit.fluxcd.io", "HelmRelease"},
        {"install.istio.io", "IstioOperator"},
        {"jaegertracing.io", "Jaeger"},
        {"k8s.mariadb.com", "MariaDB"},
        {"kafka.banzaicloud.io", "KafkaCluster"},
        {"kafka.strimzi.io", "Kafka"},
        {"keda.sh", "ScaledJob"},
        {"kibana.k8s.elastic.co", "Kibana"},
        {"kubevirt.io", "VirtualMachine"},
        {"kubevirt.io", "VirtualMachineInstance"},
        {"logstash.k8s.elastic.co", "Logstash"},
        {"maps.k8s.elastic.co", "ElasticMapsServer"},
        {"minio.min.io", "Tenant"},
        {"monitoring.coreos.com", "Alertmanager"},
        {"monitoring.coreos.com", "Prometheus"},
        {"monitoring.coreos.com", "PrometheusAgent"},
        {"monitoring.coreos.com", "ThanosRuler"},
        {"numaflow.numaproj.io", "Pipeline"},
        {"ocs.openshift.io", "StorageCluster"},
        {"opentelemetry.io", "OpenTelemetryCollector"},
        {"operator.tigera.io", "APIServer"},
        {"operator.tigera.io", "Goldmane"},
        {"operator.tigera.io", "Installation"},
        {"operator.tigera.io", "Whisker"},
        {"operators.coreos.com", "Subscription"},
        {"psmdb.percona.com", "PerconaServerMongoDB"},
        {"pxc.percona.com", "PerconaXtraDBCluster"},
        {"rabbitmq.com", "RabbitmqCluster"},
        {"ray.io", "RayCluster"},
        {"ray.io", "RayCronJob"},
        {"ray.io", "RayJob"},
        {"ray.io", "RayService"},
        {"tekton.dev", "PipelineRun"},
        {"tekton.dev", "TaskRun"},
    };
    return kKnown.contains({group, kind});
}

// Replicas of something else than pods, or pods for moments only.
bool is_known_to_make_none(std::string_view group, std::string_view kind) {
    return (group == "kafka.strimzi.io" && kind == "KafkaTopic") ||
           (group == "cert-manager.io" && (kind == "ClusterIssuer" || kind == "Issuer"));
}

// Whether some field speaks of containers or replicas.
bool speaks_of_pods(const Json& json, int depth = 0) {
    if (depth > kMaxDepth) return false;
    if (json.is_array()) {
        for (const Json& item : json) {
            if (speaks_of_pods(item, depth + 1)) return true;
        }
    }
    if (!json.is_object()) return false;
    for (const auto& [key, member] : json.items()) {
        if ((key == "replicas" || key == "instances" || key == "replicaCount" ||
             key == "numberOfInstances") &&
            member.is_number())
            return true;
        if (key == "containers" && member.is_array()) return true;
        if ((key == "container" || key == "podTemplate" || key == "podTemplateSpec" || key == "podSpec" ||
             key == "jobTemplate") &&
            member.is_object())
            return true;
        if (speaks_of_pods(member, depth + 1)) return true;
    }
    return false;
}

bool may_make_pods(const api::Document& document) {
    if (is_known_to_make_pods(document.group(), document.kind)) return true;
    if (is_built_in_group(document.group()) || is_known_to_make_none(document.group(), document.kind))
        return false;
    const Json json = Json::parse(document.json, nullptr, false);
    const auto spec = json.find("spec");
    return spec != json.end() && speaks_of_pods(*spec);
}

template <typename Tally>
std::size_t sum_of(const Tally& tally) {
    return std::accumulate(tally.begin(), tally.end(), std::size_t{0},
                           [](std::size_t sum, const auto& one) { return sum + one.second; });
}

}  // namespace

std::string tally_of(const std::map<std::string, std::size_t>& tally) {
    std::vector<std::string> out;
    for (const auto& [kind, count] : tally) out.push_back(fmt::format("{} {}", kind, count));
    return some_of(out, kMostKinds);
}

void UnreadKinds::add(const api::Document& document, bool has_namesake) {
    if (has_namesake) namesakes_.insert(document.kind);
    const std::pair<std::string, std::string> kind(document.kind, document.group());
    groups_[kind.first].insert(kind.second);
    if (kind.first == "CronJob" && kind.second == "batch") {
        ++scheduled_[kind];
    } else if (may_make_pods(document)) {
        ++may_make_pods_[kind];
    } else {
        ++others_[kind];
    }
}

// "Kafka 1, Service 2 (serving.knative.dev)".
std::string UnreadKinds::words_for(const Tally& tally) const {
    std::vector<std::string> out;
    for (const auto& [kind, count] : tally) {
        const bool is_unique = !namesakes_.contains(kind.first) && groups_.at(kind.first).size() == 1;
        out.push_back(is_unique ? fmt::format("{} {}", kind.first, count)
                                : fmt::format("{} {} ({})", kind.first, count,
                                              kind.second.empty() ? "no group" : kind.second));
    }
    return some_of(out, kMostKinds);
}

std::vector<std::string> UnreadKinds::sentences() const {
    Tally may_make_pods = may_make_pods_;
    Tally others;
    for (const auto& [kind, count] : others_) {
        const auto kin = may_make_pods.find(kind);
        (kin == may_make_pods.end() ? others[kind] : kin->second) += count;
    }
    std::vector<std::string> out;
    if (!may_make_pods.empty())
        out.push_back(fmt::format("NOT COUNTED, though pods may come of them: {}", words_for(may_make_pods)));
    if (!scheduled_.empty())
        out.push_back(
            fmt::format("not counted, for its pods come by its schedule: {}", words_for(scheduled_)));
    if (!others.empty())
        out.push_back(fmt::format("{} of {} {} not read: {}", count_of(sum_of(others), "document"),
                                  count_of(others.size(), "kind"), sum_of(others) == 1 ? "is" : "are",
                                  words_for(others)));
    return out;
}

}  // namespace joiner::cli
