#include "cli/admission.h"

#include <fmt/format.h>

#include "cli/grouping.h"

namespace joiner::cli {
namespace {

api::PriorityClass built_in(std::string name, std::int32_t value) {
    api::PriorityClass out;
    out.meta.name = std::move(name);
    out.value = value;
    return out;
}

bool is_default_class(const api::StorageClass& storage_class) {
    const api::StringMap& annotations = storage_class.meta.annotations;
    return api::find_or_empty(annotations, "storageclass.kubernetes.io/is-default-class") == "true" ||
           api::find_or_empty(annotations, "storageclass.beta.kubernetes.io/is-default-class") == "true";
}

}  // namespace

Admission::Admission() {
    add(built_in("system-cluster-critical", 2'000'000'000));
    add(built_in("system-node-critical", 2'000'001'000));
}

void Admission::add(api::PriorityClass priority_class) {
    std::string name = priority_class.meta.name;
    priorities_.insert_or_assign(std::move(name), std::move(priority_class));
}

void Admission::add(api::RuntimeClass runtime_class) {
    std::string name = runtime_class.meta.name;
    runtimes_.insert_or_assign(std::move(name), std::move(runtime_class));
}

void Admission::add(const api::LimitRange& range) {
    limit_ranges_[range.meta.ns].insert_or_assign(range.meta.name, range);
}

void Admission::add(const api::StorageClass& storage_class) {
    storage_classes_.insert_or_assign(storage_class.meta.name, storage_class);
}

void Admission::admit(const std::string& ns, api::PodSpec& spec, bool is_new) {
    set_priority(spec, is_new);
    for (api::Volume& volume : spec.volumes) {
        if (!volume.ephemeral || volume.has_ephemeral_storage_class) continue;
        volume.ephemeral_storage_class = default_storage_class();
        volume.has_ephemeral_storage_class = !volume.ephemeral_storage_class.empty();
    }
    if (!is_new) return;
    add_runtime(spec);
    if (const auto ranges = limit_ranges_.find(ns); ranges != limit_ranges_.end()) {
        rules::ContainerDefaults defaults;
        for (const auto& [name, range] : ranges->second) defaults.add(range);
        rules::apply_defaults(defaults, spec);
    }
}

void Admission::set_priority(api::PodSpec& spec, bool is_new) {
    const api::PriorityClass* chosen = nullptr;
    if (!spec.priority_class.empty()) {
        const auto it = priorities_.find(spec.priority_class);
        if (it != priorities_.end()) chosen = &it->second;
        if (chosen == nullptr && !spec.has_priority) missing_priorities_.insert(spec.priority_class);
    } else if (is_new) {
        // The lowest, where several call themselves the default.
        for (const auto& [name, candidate] : priorities_) {
            if (candidate.global_default && (chosen == nullptr || candidate.value < chosen->value))
                chosen = &candidate;
        }
    }
    if (chosen == nullptr) return;
    if (!spec.has_priority) spec.priority = chosen->value;
    if (is_new && chosen->preemption_policy == "Never") spec.preemption_policy = chosen->preemption_policy;
}

void Admission::add_runtime(api::PodSpec& spec) {
    if (spec.runtime_class.empty()) return;
    const auto it = runtimes_.find(spec.runtime_class);
    if (it == runtimes_.end()) {
        missing_runtimes_.insert(spec.runtime_class);
        return;
    }
    if (spec.overhead.empty()) spec.overhead = it->second.overhead;
    for (const auto& [key, value] : it->second.node_selector) spec.node_selector.try_emplace(key, value);
    for (const api::Toleration& toleration : it->second.tolerations) spec.tolerations.push_back(toleration);
}

void Admission::admit(api::PersistentVolumeClaim& claim) const {
    if (claim.has_storage_class) return;
    const std::string_view annotated =
        api::find_or_empty(claim.meta.annotations, "volume.beta.kubernetes.io/storage-class");
    claim.storage_class = annotated.empty() ? default_storage_class() : std::string(annotated);
    claim.has_storage_class = !claim.storage_class.empty();
}

// The newest, then the first by name, where several call themselves the default.
const std::string& Admission::default_storage_class() const {
    static const std::string kNone;
    const api::StorageClass* chosen = nullptr;
    for (const auto& [name, candidate] : storage_classes_) {
        if (is_default_class(candidate) &&
            (chosen == nullptr || candidate.meta.created > chosen->meta.created))
            chosen = &candidate;
    }
    return chosen == nullptr ? kNone : chosen->meta.name;
}

std::vector<std::string> Admission::missing_classes() const {
    std::vector<std::string> out;
    const auto tell = [&](const std::set<std::string>& names, std::string_view kind, std::string_view what) {
        if (names.empty()) return;
        out.push_back(fmt::format("{} {} {} not among the files; {}", kind,
                                  some_of({names.begin(), names.end()}), names.size() == 1 ? "is" : "are",
                                  what));
    };
    tell(missing_priorities_, "PriorityClass", "pods that name it count with priority 0");
    tell(missing_runtimes_, "RuntimeClass", "what it adds to its pods is not counted");
    return out;
}

}  // namespace joiner::cli
