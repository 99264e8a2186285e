// Decoders of our custom resources.
#include <fmt/format.h>

#include "api/reader.h"

namespace joiner::api {

Result<NillableDuration> parse_nillable_duration(std::string_view text) {
    if (text == "Never") return NillableDuration{std::nullopt, "Never"};
    TRY(const Duration duration, parse_duration(text));
    return NillableDuration{duration, std::string(text)};
}

void read_value(const Value& value, NillableDuration& out) {
    std::string text;
    value.read(text);
    auto duration = parse_nillable_duration(text);
    if (!duration) {
        value.fail(fmt::format("\"{}\" is neither a duration such as 1h30m nor Never", text));
    } else {
        out = std::move(*duration);
    }
}

void read_value(const Value& value, NodeClassReference& out) {
    value.each_field("apiVersion", [&](std::string_view key, const Value& field) {
        if (key == "group") return field.read(out.group);
        if (key == "kind") return field.read(out.kind);
        if (key == "name") return field.read(out.name);
        return false;
    });
}

void read_value(const Value& value, Budget& out) {
    value.each_field("", [&](std::string_view key, const Value& field) {
        if (key == "nodes") return field.text_or_number(out.nodes), true;
        if (key == "reasons") return out.has_reasons = true, field.read(out.reasons);
        if (key == "schedule") return field.read(out.schedule);
        if (key == "duration") return field.read(out.duration);
        return false;
    });
}

void read_value(const Value& value, NodePoolTemplate& out) {
    value.each_field("", [&](std::string_view part, const Value& body) {
        if (part == "metadata") {
            body.each_field("name namespace creationTimestamp",
                            [&](std::string_view key, const Value& field) {
                                if (key == "labels") return field.read(out.labels);
                                if (key == "annotations") return field.read(out.annotations);
                                return false;
                            });
            return true;
        }
        if (part != "spec") return false;
        body.each_field("", [&](std::string_view key, const Value& field) {
            if (key == "nodeClassRef") return field.read(out.node_class);
            if (key == "requirements") return field.read(out.requirements);
            if (key == "taints") return field.read(out.taints);
            if (key == "startupTaints") return field.read(out.startup_taints);
            if (key == "expireAfter") return field.read(out.expire_after);
            if (key == "terminationGracePeriod") return field.read(out.termination_grace_period);
            return false;
        });
        return true;
    });
}

namespace {

void read_disruption(const Value& value, NodePool& out) {
    value.each_field("", [&](std::string_view key, const Value& field) {
        if (key == "consolidateAfter") return field.read(out.consolidate_after);
        if (key == "consolidationPolicy") return field.read(out.consolidation_policy);
        if (key == "budgets") return field.read(out.budgets);
        return false;
    });
}

void read_node_pool_spec(const Value& value, NodePool& out) {
    value.each_field("", [&](std::string_view key, const Value& field) {
        if (key == "template") return field.read(out.node_template);
        if (key == "disruption") return read_disruption(field, out), true;
        if (key == "limits") return field.read(out.limits);
        if (key == "weight") return field.read(out.weight);
        if (key == "replicas") return field.read(out.replicas);
        return false;
    });
}

void read_node_pool_status(const Value& value, NodePool& out) {
    value.each_field("", [&](std::string_view key, const Value& field) {
        if (key == "resources") return field.read(out.status_resources);
        if (key == "nodes") return field.read(out.status_nodes);
        if (key == "nodeClassObservedGeneration") return field.read(out.node_class_observed_generation);
        if (key == "conditions") return field.read(out.conditions);
        return false;
    });
}

// `read_spec` and `read_status` for the two parts, metadata as everywhere.
template <typename T, typename Spec, typename StatusPart>
void read_custom(const Value& value, T& out, Spec read_spec, StatusPart read_status) {
    value.each_field("", [&](std::string_view part, const Value& body) {
        if (part == "metadata") return body.read(out.meta);
        if (part == "apiVersion" || part == "kind") return true;
        if (part == "spec") return body.each_field("", read_spec), true;
        if (part == "status") return body.each_field("", read_status), true;
        return false;
    });
}

}  // namespace

void read_value(const Value& value, NodeClaim& out) {
    read_custom(
        value, out,
        [&](std::string_view key, const Value& field) {
            if (key == "taints") return field.read(out.taints);
            if (key == "startupTaints") return field.read(out.startup_taints);
            if (key == "requirements") return field.read(out.requirements);
            if (key == "nodeClassRef") return field.read(out.node_class);
            if (key == "terminationGracePeriod") return field.read(out.termination_grace_period);
            if (key == "expireAfter") return field.read(out.expire_after);
            if (key == "resources") {
                field.each_field("", [&](std::string_view name, const Value& requests) {
                    return name == "requests" && requests.read(out.requests);
                });
                return true;
            }
            return false;
        },
        [&](std::string_view key, const Value& field) {
            if (key == "nodeName") return field.read(out.node_name);
            if (key == "providerID") return field.read(out.provider_id);
            if (key == "imageID") return field.read(out.image_id);
            if (key == "capacity") return field.read(out.capacity);
            if (key == "allocatable") return field.read(out.allocatable);
            if (key == "conditions") return field.read(out.conditions);
            if (key == "lastPodEventTime") return field.read(out.last_pod_event);
            return false;
        });
}

void read_value(const Value& value, NodeOverlay& out) {
    read_custom(
        value, out,
        [&](std::string_view key, const Value& field) {
            if (key == "requirements") return field.read(out.requirements);
            if (key == "price") return field.read(out.price);
            if (key == "priceAdjustment") return field.read(out.price_adjustment);
            if (key == "capacity") return field.read(out.capacity);
            if (key == "weight") return field.read(out.weight);
            return false;
        },
        [&](std::string_view key, const Value& field) {
            return key == "conditions" && field.read(out.conditions);
        });
}

void read_value(const Value& value, CapacityBuffer& out) {
    read_custom(
        value, out,
        [&](std::string_view key, const Value& field) {
            if (key == "provisioningStrategy") return field.read(out.provisioning_strategy);
            if (key == "podTemplateRef") {
                field.each_field("", [&](std::string_view name, const Value& member) {
                    return name == "name" && member.read(out.pod_template);
                });
                return true;
            }
            if (key == "scalableRef") {
                field.each_field("", [&](std::string_view name, const Value& member) {
                    if (name == "apiGroup") return member.read(out.scalable_api_group);
                    if (name == "kind") return member.read(out.scalable_kind);
                    if (name == "name") return member.read(out.scalable_name);
                    return false;
                });
                return true;
            }
            if (key == "replicas") return field.read(out.replicas);
            if (key == "percentage") return field.read(out.percentage);
            if (key == "limits") return field.read(out.limits);
            return false;
        },
        [&](std::string_view key, const Value& field) {
            if (key == "podTemplateRef") {
                field.each_field("", [&](std::string_view name, const Value& member) {
                    return name == "name" && member.read(out.status_pod_template);
                });
                return true;
            }
            if (key == "podTemplateGeneration") return field.read(out.status_pod_template_generation);
            if (key == "replicas") return field.read(out.status_replicas);
            if (key == "provisioningStrategy") return field.read(out.status_provisioning_strategy);
            return key == "conditions" && field.read(out.conditions);
        });
}

void read_value(const Value& value, NodeClass& out) {
    value.each_field("", [&](std::string_view part, const Value& body) {
        if (part == "metadata") return body.read(out.meta);
        if (part == "kind") return body.read(out.kind);
        if (part == "apiVersion") {
            std::string version;
            body.read(version);
            out.group = version.substr(0, version.find('/'));
            return true;
        }
        if (part == "spec") {
            out.spec = body.text();
            return true;
        }
        if (part != "status") return false;
        out.status = body.text();
        body.each_field("", [&](std::string_view key, const Value& field) {
            if (key == "conditions") field.read(out.conditions);
            return true;
        });
        return true;
    });
}

Result<NodePool> decode_node_pool(std::string_view json, DecodeNotes* notes) {
    struct Target {
        NodePool pool;
        DecodeNotes* notes;
    } target{{}, notes};
    TRY_STATUS(read_document(
        json, notes,
        [](const Value& value, void* out) {
            Target& t = *static_cast<Target*>(out);
            value.each_field("", [&](std::string_view part, const Value& body) {
                if (part == "metadata") return body.read(t.pool.meta);
                if (part == "apiVersion" || part == "kind") return true;
                if (part == "status") return read_node_pool_status(body, t.pool), true;
                if (part != "spec") return false;
                // A context of its own: a mistake in the spec is the pool's condition, not a failure to read
                // it.
                ReadContext context{std::nullopt, t.notes};
                const Path path{nullptr, "spec", 0};
                read_node_pool_spec(body.with(&path, context), t.pool);
                if (context.error) t.pool.spec_problem = context.error->message;
                return true;
            });
        },
        &target));
    return std::move(target.pool);
}

Result<NodeClaim> decode_node_claim(std::string_view json, DecodeNotes* notes) {
    return decode<NodeClaim>(json, notes);
}
Result<NodeOverlay> decode_node_overlay(std::string_view json, DecodeNotes* notes) {
    return decode<NodeOverlay>(json, notes);
}
Result<CapacityBuffer> decode_capacity_buffer(std::string_view json, DecodeNotes* notes) {
    return decode<CapacityBuffer>(json, notes);
}
Result<NodeClass> decode_node_class(std::string_view json, DecodeNotes* notes) {
    return decode<NodeClass>(json, notes);
}

}  // namespace joiner::api
