#include "cli/workload_pods.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "rules/selector.h"

namespace joiner::cli {
namespace {

bool is_active(const api::Pod& pod) {
    return !is_done(pod) && !pod.meta.deleted;
}

std::string key_of_owner(const api::OwnerReference& owner, const std::string& ns) {
    return fmt::format("{}/{}/{}", owner.kind, ns, owner.name);
}

bool selects(const api::Workload& workload, const api::Pod& pod) {
    return workload.meta.ns == pod.meta.ns && workload.selector &&
           rules::matches(*workload.selector, pod.meta.labels);
}

class Expansion {
  public:
    Expansion(const Workloads& workloads, WallTime now, PodsByName& pods,
              std::vector<api::PersistentVolumeClaim>& claims)
        : workloads_(workloads), now_(now), pods_(pods), claims_(claims) {}

    HeldWorkloads run() {
        count_pods();
        // The names of a StatefulSet's pods are given; others make way.
        for (const auto& [key, workload] : workloads_.replicated) {
            if (workload.kind == "StatefulSet" && !workload.meta.deleted) add_stateful(workload);
        }
        for (const auto& [key, workload] : workloads_.replicated) {
            if (workload.kind == "StatefulSet" || workload.meta.deleted) continue;
            const std::int64_t there = pods_of(key) + delegated_by(key);
            if (there == 0 && workload.replicas > 0 && workloads_.paused.contains(key)) {
                held_.paused.push_back(api::full_name(workload.meta));
                continue;
            }
            add_pods(workload.pod_template, workload.meta, "apps/v1", workload.kind,
                     workload.replicas - there);
        }
        for (const auto& [name, job] : workloads_.jobs) add_job(name, job);
        return std::move(held_);
    }

  private:
    // Whose the pods are that run, or wait, already.
    void count_pods() {
        for (const auto& [key, workload] : workloads_.replicated) {
            if (workload.kind == "ReplicaSet" || workload.kind == "ReplicationController")
                adopters_[workload.meta.ns].push_back(&workload);
        }
        for (const auto& [name, pod] : pods_) {
            const api::OwnerReference* owner = api::controller_of(pod.meta);
            if (owner != nullptr && owner->kind == "Job" && pod.status.phase == "Succeeded")
                ++succeeded_[pod.meta.ns + "/" + owner->name];
            if (!is_active(pod)) continue;
            std::string key;
            if (owner == nullptr) {
                key = adopter_of(pod);
            } else {
                key = key_of_owner(*owner, pod.meta.ns);
                // The ReplicaSets of a Deployment need not be among the files.
                if (owner->kind == "ReplicaSet" && !workloads_.replicated.contains(key))
                    key = deployment_of(*owner, pod);
            }
            if (!key.empty()) ++active_[key];
        }
    }

    const std::string& deployment_of(const api::OwnerReference& replica_set, const api::Pod& pod) {
        auto [known, is_new] = deployment_of_.try_emplace(key_of_owner(replica_set, pod.meta.ns));
        if (is_new) known->second = find_deployment(replica_set, pod);
        return known->second;
    }

    std::string find_deployment(const api::OwnerReference& replica_set, const api::Pod& pod) const {
        std::string found;
        for (auto it = workloads_.replicated.lower_bound("Deployment/" + pod.meta.ns + "/");
             it != workloads_.replicated.end() && it->second.kind == "Deployment" &&
             it->second.meta.ns == pod.meta.ns;
             ++it) {
            if (!selects(it->second, pod)) continue;
            // Where selectors overlap, the name tells: it is the Deployment's and a hash.
            const std::string_view set = replica_set.name;
            const std::string prefix = it->second.meta.name + "-";
            if (set.starts_with(prefix) && set.find('-', prefix.size()) == std::string_view::npos)
                return it->first;
            if (found.empty()) found = it->first;
        }
        return found;
    }

    // A pod without a controller becomes that of a ReplicaSet or ReplicationController that selects it.
    std::string adopter_of(const api::Pod& pod) const {
        const auto here = adopters_.find(pod.meta.ns);
        if (here == adopters_.end()) return {};
        for (const api::Workload* workload : here->second) {
            if (selects(*workload, pod)) return key_of(*workload);
        }
        return {};
    }

    std::int64_t pods_of(const std::string& key) const {
        const auto it = active_.find(key);
        return it == active_.end() ? 0 : it->second;
    }

    // What the ReplicaSets of a Deployment have, or will have.
    std::int64_t delegated_by(const std::string& deployment) {
        if (!has_delegated_) {
            has_delegated_ = true;
            for (const auto& [key, workload] : workloads_.replicated) {
                const api::OwnerReference* owner = api::controller_of(workload.meta);
                if (owner != nullptr && !workload.meta.deleted)
                    delegated_[key_of_owner(*owner, workload.meta.ns)] +=
                        std::max(workload.replicas, pods_of(key));
            }
        }
        const auto it = delegated_.find(deployment);
        return it == delegated_.end() ? 0 : it->second;
    }

    void add_stateful(const api::Workload& workload) {
        for (std::int64_t i = 0; i < workload.replicas; ++i) {
            const std::string name = fmt::format("{}-{}", workload.meta.name, workload.first_ordinal + i);
            const auto there = pods_.find(workload.meta.ns + "/" + name);
            if (there != pods_.end() && !is_done(there->second)) continue;
            if (there != pods_.end()) pods_.erase(there);
            api::Pod pod = make(workload.pod_template, workload.meta, "apps/v1", workload.kind, name);
            add_claims(workload, pod);
            add(std::move(pod));
        }
    }

    // A claim template stands for the volume of its name, whatever the pod template has under it.
    void add_claims(const api::Workload& workload, api::Pod& pod) {
        for (const api::PersistentVolumeClaim& wanted : workload.claim_templates) {
            std::erase_if(pod.spec.volumes,
                          [&](const api::Volume& volume) { return volume.name == wanted.meta.name; });
            api::PersistentVolumeClaim claim = wanted;
            claim.meta.name = wanted.meta.name + "-" + pod.meta.name;
            claim.meta.ns = pod.meta.ns;
            api::Volume volume;
            volume.name = wanted.meta.name;
            volume.claim_name = claim.meta.name;
            pod.spec.volumes.push_back(std::move(volume));
            claims_.push_back(std::move(claim));
        }
    }

    void add_job(const std::string& name, const api::Job& job) {
        if (job.is_finished || job.meta.deleted) return;
        if (job.is_suspended) {
            held_.suspended.push_back(name);
            return;
        }
        const auto seen = succeeded_.find(name);
        const std::int64_t succeeded = std::max(job.succeeded, seen == succeeded_.end() ? 0 : seen->second);
        const std::int64_t active = pods_of("Job/" + name);
        std::int64_t wanted = job.parallelism;
        if (job.completions) {
            wanted = std::min(wanted, *job.completions - succeeded);
        } else if (succeeded > 0) {
            wanted = active;  // The first success says that there is no more work.
        }
        api::Pod pod_template = job.pod_template;
        pod_template.meta.labels.emplace("batch.kubernetes.io/job-name", job.meta.name);
        pod_template.meta.labels.emplace("job-name", job.meta.name);
        add_pods(pod_template, job.meta, "batch/v1", "Job", wanted - active);
    }

    void add_pods(const api::Pod& pod_template, const api::ObjectMeta& owner, std::string_view api_version,
                  const std::string& kind, std::int64_t number) {
        for (std::int64_t made = 0, i = 0; made < number; ++i) {
            const std::string name = fmt::format("{}-{}", owner.name, i);
            if (pods_.contains(owner.ns + "/" + name)) continue;
            add(make(pod_template, owner, api_version, kind, name));
            ++made;
        }
    }

    api::Pod make(const api::Pod& pod_template, const api::ObjectMeta& owner, std::string_view api_version,
                  const std::string& kind, const std::string& name) const {
        api::Pod pod = pod_template;
        pod.meta.ns = owner.ns;
        pod.meta.name = name;
        pod.meta.uid = api::full_name(pod.meta);
        pod.meta.created = now_;
        pod.meta.owners = {{std::string(api_version), kind, owner.name, owner.uid, true, true}};
        return pod;
    }

    void add(api::Pod pod) {
        std::string name = api::full_name(pod.meta);
        pods_.emplace(std::move(name), std::move(pod));
    }

    const Workloads& workloads_;
    WallTime now_;
    PodsByName& pods_;
    std::vector<api::PersistentVolumeClaim>& claims_;
    std::map<std::string, std::vector<const api::Workload*>> adopters_;  // By namespace.
    std::map<std::string, std::string> deployment_of_;  // Of ReplicaSets that are not among the files.
    std::map<std::string, std::int64_t> active_;        // By "Kind/namespace/name" of the owner.
    std::map<std::string, std::int64_t> succeeded_;     // By "namespace/name" of the Job.
    std::map<std::string, std::int64_t> delegated_;     // By "Kind/namespace/name" of the Deployment.
    bool has_delegated_ = false;
    HeldWorkloads held_;
};

}  // namespace

bool is_done(const api::Pod& pod) {
    return pod.status.phase == "Succeeded" || pod.status.phase == "Failed";
}

std::string key_of(const api::Workload& workload) {
    return fmt::format("{}/{}/{}", workload.kind, workload.meta.ns, workload.meta.name);
}

HeldWorkloads add_missing_pods(const Workloads& workloads, WallTime now, PodsByName& pods,
                               std::vector<api::PersistentVolumeClaim>& claims) {
    return Expansion(workloads, now, pods, claims).run();
}

}  // namespace joiner::cli
