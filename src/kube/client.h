// Requests to one API server, over io::HttpClient: authorisation, lanes with bounds, client-side rate limit,
// a gate that every write passes, and answers as values. Owned by control; loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "io/http.h"
#include "io/loop.h"
#include "kube/config.h"

namespace joiner::kube {

// A kind as the API server's paths name it.
struct Resource {
    std::string_view group;  // Empty for core.
    std::string_view version;
    std::string_view plural;
    std::string_view kind;
    bool namespaced = false;

    friend bool operator==(const Resource&, const Resource&) = default;
};

inline constexpr Resource kPods{"", "v1", "pods", "Pod", true};
inline constexpr Resource kNodes{"", "v1", "nodes", "Node", false};
inline constexpr Resource kConfigMaps{"", "v1", "configmaps", "ConfigMap", true};
inline constexpr Resource kNamespaces{"", "v1", "namespaces", "Namespace", false};
inline constexpr Resource kLimitRanges{"", "v1", "limitranges", "LimitRange", true};
inline constexpr Resource kEvents{"", "v1", "events", "Event", true};
inline constexpr Resource kPersistentVolumeClaims{"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim",
                                                  true};
inline constexpr Resource kPersistentVolumes{"", "v1", "persistentvolumes", "PersistentVolume", false};
inline constexpr Resource kServices{"", "v1", "services", "Service", true};
inline constexpr Resource kReplicationControllers{"", "v1", "replicationcontrollers", "ReplicationController",
                                                  true};
inline constexpr Resource kPodTemplates{"", "v1", "podtemplates", "PodTemplate", true};
inline constexpr Resource kDeployments{"apps", "v1", "deployments", "Deployment", true};
inline constexpr Resource kStatefulSets{"apps", "v1", "statefulsets", "StatefulSet", true};
inline constexpr Resource kReplicaSets{"apps", "v1", "replicasets", "ReplicaSet", true};
inline constexpr Resource kDaemonSets{"apps", "v1", "daemonsets", "DaemonSet", true};
inline constexpr Resource kPodDisruptionBudgets{"policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget",
                                                true};
inline constexpr Resource kStorageClasses{"storage.k8s.io", "v1", "storageclasses", "StorageClass", false};
inline constexpr Resource kVolumeAttachments{"storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment",
                                             false};
inline constexpr Resource kCSINodes{"storage.k8s.io", "v1", "csinodes", "CSINode", false};
inline constexpr Resource kLeases{"coordination.k8s.io", "v1", "leases", "Lease", true};
inline constexpr Resource kNodePools{"karpenter.sh", "v1", "nodepools", "NodePool", false};
inline constexpr Resource kProvisioners{"karpenter.sh", "v1alpha5", "provisioners", "Provisioner", false};
inline constexpr Resource kAwsNodeTemplates{"karpenter.k8s.aws", "v1alpha1", "awsnodetemplates",
                                            "AWSNodeTemplate", false};
inline constexpr Resource kNodeClaims{"karpenter.sh", "v1", "nodeclaims", "NodeClaim", false};
inline constexpr Resource kNodeOverlays{"karpenter.sh", "v1alpha1", "nodeoverlays", "NodeOverlay", false};
inline constexpr Resource kCapacityBuffers{"autoscaling.x-k8s.io", "v1beta1", "capacitybuffers",
                                           "CapacityBuffer", true};

// "/api/v1/namespaces/default/pods/web-1/binding"; empty parts are left out.
std::string path_of(const Resource& resource, std::string_view ns, std::string_view name = {},
                    std::string_view subresource = {});

// Each lane has its own bound on requests in flight, so that a storm in one never delays another.
enum class Lane { kDefault, kBinding, kLease };

enum class PatchType { kMerge, kJson };

struct Request {
    std::string method;
    std::string path;        // From path_of().
    std::string query = {};  // Without '?'.
    std::string body = {};   // JSON.
    std::string content_type = "application/json";
    Lane lane = Lane::kDefault;
    Duration timeout = std::chrono::seconds{10};
    bool accept_gzip = false;  // For long lists; watches are not compressed.
};

// The reply's body (one object's JSON) or the error, its message being the server's own with the request
// named. Kinds: 404 kNotFound, 409 kConflict, 410 kGone, 401/403 kForbidden, 408/429/5xx and no answer
// kUnavailable (a write may have been done all the same), other 4xx kInvalid, anything else kInternal. What
// could not be sent is tried twice more, a GET without an answer once, and a 401 once when newer credentials
// are to be had; nothing else is tried again here. What has waited 30 s in our own queue fails with
// kUnavailable.
using Done = std::function<void(Result<std::string>)>;

struct ClientOptions {
    double qps = 200;  // Of the default lane; bindings and the lease are not held back.
    int burst = 300;
    int max_in_flight = 16;
    int max_bindings_in_flight = 16;
    std::size_t max_queued = 100'000;  // More fail at once with kUnavailable.
    std::string user_agent = "joiner";
    // The gate: no write but the lease's leaves this machine while it says no. Asked when the write is sent,
    // when its turn in the queue comes, and once more when its first byte is about to go. Absent: all may.
    std::function<bool()> may_write = {};
    // Hears each answer but those of streams: the method, and HTTP's code or 0 where there was none.
    std::function<void(std::string_view method, int code)> answered = {};
    std::uint64_t seed = 1;  // Of the jitter of retries.
};

class Client {
  public:
    Client(io::Loop& loop, io::HttpClient& http, Config config, ClientOptions options);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void send(Request request, Done done);

    // The same in words.
    void get(const Resource& r, std::string_view ns, std::string_view name, Done done);
    void create(const Resource& r, std::string_view ns, std::string body, Done done);
    // With `resource_version` in the body's metadata, or as a "test" operation, the patch is refused
    // (kConflict) when someone else wrote first.
    void patch(const Resource& r, std::string_view ns, std::string_view name, std::string_view subresource,
               PatchType type, std::string body, Done done);
    void replace(const Resource& r, std::string_view ns, std::string_view name, std::string_view subresource,
                 std::string body, Done done);
    struct DeleteOptions {
        std::string uid;               // Precondition, when not empty.
        std::string resource_version;  // Likewise.
        int grace_seconds = -1;        // -1: the object's own.
    };
    void remove(const Resource& r, std::string_view ns, std::string_view name, const DeleteOptions& options,
                Done done);
    // POST pods/eviction. kUnavailable with retry_after when a budget forbids it now (429).
    void evict(std::string_view ns, std::string_view pod, std::string_view uid, Done done);
    // POST pods/binding. kConflict is final: the pod has a node already, or another uid.
    void bind(std::string_view ns, std::string_view pod, std::string_view uid, std::string_view node,
              Done done);

    // Closes the gate for good, so that only the lease's writes go out any more, and calls `done` when none
    // that went before is under way.
    void finish_writes(std::function<void()> done);

    // For watches: a stream outside the lanes and limits.
    io::RequestId stream(Request request, Duration silence, io::StreamHandlers handlers);
    void cancel(io::RequestId id);

    struct Counters {
        std::uint64_t requests = 0;
        std::uint64_t failures = 0;  // No answer at all.
        std::uint64_t throttled_by_server = 0;
        std::uint64_t recoveries = 0;  // Answers after requests that had none.
    };
    const Counters& counters() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::kube
