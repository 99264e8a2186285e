// Decoders of what makes pods from a template.
#include "api/reader.h"

namespace joiner::api {
namespace {

// `read_spec` reads one field of the spec, and says whether it knew it; the others are known to the API.
template <typename F>
void read_workload(const Value& value, ObjectMeta& meta, F read_spec) {
    value.each_field("apiVersion kind status", [&](std::string_view part, const Value& body) {
        if (part == "metadata") return body.read(meta);
        if (part != "spec") return false;
        body.each_field("*", read_spec);
        return true;
    });
}

bool is_end_of_job(const Condition& condition) {
    return condition.status == "True" &&
           (condition.type == "Complete" || condition.type == "Failed" ||
            condition.type == "SuccessCriteriaMet" || condition.type == "FailureTarget");
}

void read_job_status(const Value& value, Job& out) {
    value.each_field("*", [&](std::string_view key, const Value& field) {
        if (key == "succeeded") return field.read(out.succeeded);
        if (key != "conditions") return false;
        std::vector<Condition> conditions;
        field.read(conditions);
        for (const Condition& condition : conditions) out.is_finished |= is_end_of_job(condition);
        return true;
    });
}

void read_workload_status(const Value& value, Workload& out) {
    value.each_field("*", [&](std::string_view key, const Value& field) {
        if (key != "conditions") return false;
        std::vector<Condition> conditions;
        field.read(conditions);
        const Condition* failure = find_condition(conditions, "ReplicaFailure");
        out.cannot_make_pods = failure != nullptr && failure->status == "True";
        return true;
    });
}

struct ReplicationController {
    Workload workload;
};

}  // namespace

void read_value(const Value& value, Workload& out) {
    value.each_field("", [&](std::string_view part, const Value& body) {
        if (part == "metadata") return body.read(out.meta);
        if (part == "kind") return body.read(out.kind);
        if (part == "apiVersion") return true;
        if (part == "status") return read_workload_status(body, out), true;
        if (part != "spec") return false;
        body.each_field("*", [&](std::string_view key, const Value& field) {
            if (key == "replicas") return field.read(out.replicas);
            if (key == "selector") return field.read(out.selector);
            if (key == "template") return field.read(out.pod_template);
            if (key == "volumeClaimTemplates") return field.read(out.claim_templates);
            if (key == "ordinals") {
                field.each_field("", [&](std::string_view name, const Value& start) {
                    return name == "start" && start.read(out.first_ordinal);
                });
                return true;
            }
            return false;
        });
        return true;
    });
}

// Its selector is plain labels.
void read_value(const Value& value, ReplicationController& out) {
    Workload& workload = out.workload;
    workload.kind = "ReplicationController";
    read_workload(value, workload.meta, [&](std::string_view key, const Value& field) {
        if (key == "replicas") return field.read(workload.replicas);
        if (key == "template") return field.read(workload.pod_template);
        return key == "selector" && field.read(workload.selector.emplace().match_labels);
    });
}

void read_value(const Value& value, Job& out) {
    bool has_parallelism = false;
    value.each_field("", [&](std::string_view part, const Value& body) {
        if (part == "metadata") return body.read(out.meta);
        if (part == "apiVersion" || part == "kind") return true;
        if (part == "status") return read_job_status(body, out), true;
        if (part != "spec") return false;
        body.each_field("*", [&](std::string_view key, const Value& field) {
            if (key == "parallelism") return has_parallelism = true, field.read(out.parallelism);
            if (key == "completions") return field.read(out.completions);
            if (key == "suspend") return field.read(out.is_suspended);
            return key == "template" && field.read(out.pod_template);
        });
        return true;
    });
    if (!has_parallelism && !out.completions) out.completions = 1;
}

Result<Workload> decode_workload(std::string_view json, DecodeNotes* notes) {
    return decode<Workload>(json, notes);
}

Result<Workload> decode_replication_controller(std::string_view json, DecodeNotes* notes) {
    return decode<ReplicationController>(json, notes).map([](ReplicationController&& read) {
        return std::move(read.workload);
    });
}

Result<Job> decode_job(std::string_view json, DecodeNotes* notes) {
    return decode<Job>(json, notes);
}

Result<Workload> decode_pod_template(std::string_view json, DecodeNotes* notes) {
    Workload out;
    TRY_STATUS(read_document(
        json, notes,
        [](const Value& value, void* target) {
            Workload& workload = *static_cast<Workload*>(target);
            value.each_field("apiVersion", [&](std::string_view part, const Value& body) {
                if (part == "metadata") return body.read(workload.meta);
                if (part == "kind") return body.read(workload.kind);
                return part == "template" && body.read(workload.pod_template);
            });
        },
        &out));
    out.replicas = 0;
    return out;
}

}  // namespace joiner::api
