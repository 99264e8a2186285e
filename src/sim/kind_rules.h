// What the API server does around writes of each built-in kind, beyond what its schema says: defaults, what
// others' objects add to it (admission), and validation. One table of functions; absent ones do nothing. Loop
// thread.
#pragma once

#include <string_view>

#include "base/time.h"
#include "sim/api_error.h"
#include "sim/json.h"
#include "sim/store.h"

namespace joiner::sim {

struct AdmissionContext {
    const Store& store;
    const Registry& registry;
    WallTime now;
};

struct KindRules {
    void (*set_defaults)(Json& object) = nullptr;
    // On creates, after defaults. Refusals are those of admission plug-ins.
    Answer<void> (*admit_create)(Json& object, const AdmissionContext& context) = nullptr;
    // Of the fields; `old` is nullptr for a create.
    void (*validate)(const Json& object, const Json* old, FieldProblems& problems) = nullptr;
    // Whether a create may bring a status along.
    bool keeps_status_on_create = false;
};

const KindRules& rules_of(const ResourceType& type);

// Names, labels and the like, of every kind.
void validate_metadata(const ResourceType& type, const Json& object, FieldProblems& problems);

// Shared between the files of this table.
void set_pod_spec_defaults(Json& spec);
void set_pod_defaults(Json& pod);
Answer<void> admit_pod(Json& pod, const AdmissionContext& context);
void validate_pod(const Json& pod, const Json* old, FieldProblems& problems);
void validate_pod_spec(const Json& spec, const std::string& path, FieldProblems& problems);
// The part of a pod's spec that says where it may stand.
void validate_scheduling(const Json& spec, const std::string& path, FieldProblems& problems);
// Guaranteed, Burstable or BestEffort.
std::string_view quality_of_service(const Json& spec);

void set_workload_defaults(Json& workload);
Answer<void> admit_job(Json& job, const AdmissionContext& context);
void validate_workload(const Json& workload, const Json* old, FieldProblems& problems);

}  // namespace joiner::sim
