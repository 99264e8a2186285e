// Decoders of the Kubernetes core kinds.
#include <algorithm>

#include "api/reader.h"

namespace joiner::api {

namespace {

// An object of `kind`: its metadata, and whatever `read_rest` takes from the other top-level fields.
template <typename T, typename F>
void read_object(const Value& value, T& out, std::string_view ignored, F read_rest) {
    value.each_field(ignored, [&](std::string_view key, const Value& field) {
        if (key == "metadata") return field.read(out.meta);
        if (key == "apiVersion" || key == "kind") return true;
        return read_rest(key, field);
    });
}

}  // namespace

void read_value(const Value& value, Toleration& out) {
    value.each_field("tolerationSeconds", [&](std::string_view key, const Value& field) {
        if (key == "key") return field.read(out.key);
        if (key == "operator") return field.read(out.op);
        if (key == "value") return field.read(out.value);
        if (key == "effect") return field.read(out.effect);
        return false;
    });
    if (out.op.empty()) out.op = "Equal";
}

void read_value(const Value& value, NodeSelectorTerm& out) {
    value.each_field("", [&](std::string_view key, const Value& field) {
        if (key == "matchExpressions") return field.read(out.match_expressions);
        if (key == "matchFields") return field.read(out.match_fields);
        return false;
    });
}

void read_value(const Value& value, PreferredNodeTerm& out) {
    value.each_field("", [&](std::string_view key, const Value& field) {
        if (key == "weight") return field.read(out.weight);
        if (key == "preference") return field.read(out.term);
        return false;
    });
}

void read_value(const Value& value, PodAffinityTerm& out) {
    value.each_field("", [&](std::string_view key, const Value& field) {
        if (key == "labelSelector") return field.read(out.selector);
        if (key == "topologyKey") return field.read(out.topology_key);
        if (key == "namespaces") return field.read(out.namespaces);
        if (key == "namespaceSelector") return field.read(out.namespace_selector);
        if (key == "matchLabelKeys") return field.read(out.match_label_keys);
        if (key == "mismatchLabelKeys") return field.read(out.mismatch_label_keys);
        return false;
    });
}

void read_value(const Value& value, WeightedPodAffinityTerm& out) {
    value.each_field("", [&](std::string_view key, const Value& field) {
        if (key == "weight") return field.read(out.weight);
        if (key == "podAffinityTerm") return field.read(out.term);
        return false;
    });
}

void read_value(const Value& value, TopologySpreadConstraint& out) {
    value.each_field("", [&](std::string_view key, const Value& field) {
        if (key == "maxSkew") return field.read(out.max_skew);
        if (key == "minDomains") return field.read(out.min_domains);
        if (key == "topologyKey") return field.read(out.topology_key);
        if (key == "whenUnsatisfiable") return field.read(out.when_unsatisfiable);
        if (key == "labelSelector") return field.read(out.selector);
        if (key == "matchLabelKeys") return field.read(out.match_label_keys);
        if (key == "nodeAffinityPolicy") return field.read(out.node_affinity_policy);
        if (key == "nodeTaintsPolicy") return field.read(out.node_taints_policy);
        return false;
    });
}

void read_value(const Value& value, ContainerPort& out) {
    value.each_field("name", [&](std::string_view key, const Value& field) {
        if (key == "containerPort") return field.read(out.container_port);
        if (key == "hostPort") return field.read(out.host_port);
        if (key == "hostIP") return field.read(out.host_ip);
        if (key == "protocol") return field.read(out.protocol);
        return false;
    });
}

void read_value(const Value& value, Container& out) {
    constexpr std::string_view kIgnored =
        "image command args workingDir envFrom env resizePolicy restartPolicyRules volumeMounts "
        "volumeDevices "
        "livenessProbe readinessProbe startupProbe lifecycle terminationMessagePath terminationMessagePolicy "
        "imagePullPolicy securityContext stdin stdinOnce tty";
    value.each_field(kIgnored, [&](std::string_view key, const Value& field) {
        if (key == "name") return field.read(out.name);
        if (key == "restartPolicy") {
            std::string policy;
            field.read(policy);
            out.restart_always = policy == "Always";
            return true;
        }
        if (key == "ports") return field.read(out.ports);
        if (key == "resources") {
            field.each_field("", [&](std::string_view name, const Value& resources) {
                if (name == "requests") return resources.read(out.requests);
                if (name == "limits") return resources.read(out.limits);
                if (name == "claims") {
                    resources.each_item([&](const Value&) { out.uses_resource_claims = true; });
                    return true;
                }
                return false;
            });
            return true;
        }
        return false;
    });
    // The API server's default: a limit without a request is the request.
    for (const auto& [name, limit] : out.limits) out.requests.try_emplace(name, limit);
}

void read_value(const Value& value, Volume& out) {
    value.each_field("*", [&](std::string_view key, const Value& field) {
        if (key == "name") return field.read(out.name);
        if (key == "persistentVolumeClaim") {
            field.each_field("readOnly", [&](std::string_view name, const Value& claim) {
                return name == "claimName" && claim.read(out.claim_name);
            });
            return true;
        }
        if (key == "ephemeral") {
            out.ephemeral = true;
            field.each_field("*", [&](std::string_view, const Value& claim_template) {
                claim_template.each_field("*", [&](std::string_view part, const Value& spec) {
                    if (part != "spec") return false;
                    spec.each_field("*", [&](std::string_view name, const Value& member) {
                        if (name != "storageClassName") return false;
                        out.has_ephemeral_storage_class = true;
                        return member.read(out.ephemeral_storage_class);
                    });
                    return true;
                });
                return true;
            });
            return true;
        }
        return false;
    });
}

namespace {

void read_affinity(const Value& value, PodSpec& out) {
    value.each_field("", [&](std::string_view kind, const Value& affinity) {
        const bool is_node = kind == "nodeAffinity";
        const bool is_pod = kind == "podAffinity";
        if (!is_node && !is_pod && kind != "podAntiAffinity") return false;
        affinity.each_field("", [&](std::string_view key, const Value& field) {
            if (key == "requiredDuringSchedulingIgnoredDuringExecution") {
                if (!is_node)
                    return field.read(is_pod ? out.required_pod_affinity : out.required_pod_anti_affinity);
                out.has_required_node_terms = true;
                field.each_field("", [&](std::string_view name, const Value& terms) {
                    return name == "nodeSelectorTerms" && terms.read(out.required_node_terms);
                });
                return true;
            }
            if (key == "preferredDuringSchedulingIgnoredDuringExecution") {
                if (is_node) return field.read(out.preferred_node_terms);
                return field.read(is_pod ? out.preferred_pod_affinity : out.preferred_pod_anti_affinity);
            }
            return false;
        });
        return true;
    });
}

// The API server's default: on its node's network a container listens where it says, on the node itself.
// Templates are kept without it.
void keep_host_ports(std::vector<Container>& containers, bool host_network) {
    for (Container& container : containers) {
        if (host_network) {
            for (ContainerPort& port : container.ports)
                if (port.host_port == 0) port.host_port = port.container_port;
        }
        std::erase_if(container.ports, [](const ContainerPort& port) { return port.host_port == 0; });
    }
}

bool asks_for(const std::vector<Container>& containers, const std::string& resource) {
    return std::any_of(containers.begin(), containers.end(),
                       [&](const Container& container) { return container.requests.contains(resource); });
}

bool is_non_empty_list(const Value& value) {
    bool any = false;
    value.each_item([&](const Value&) { any = true; });
    return any;
}

}  // namespace

void read_value(const Value& value, PodSpec& out) {
    constexpr std::string_view kIgnored =
        "ephemeralContainers restartPolicy activeDeadlineSeconds dnsPolicy serviceAccountName serviceAccount "
        "automountServiceAccountToken hostPID hostIPC shareProcessNamespace securityContext imagePullSecrets "
        "hostname "
        "subdomain hostAliases dnsConfig readinessGates enableServiceLinks setHostnameAsFQDN os hostUsers "
        "hostnameOverride";
    value.each_field(kIgnored, [&](std::string_view key, const Value& field) {
        if (key == "containers") return field.read(out.containers);
        if (key == "initContainers") return field.read(out.init_containers);
        if (key == "overhead") return field.read(out.overhead);
        if (key == "volumes") return field.read(out.volumes);
        if (key == "nodeSelector") return field.read(out.node_selector);
        if (key == "affinity") return read_affinity(field, out), true;
        if (key == "topologySpreadConstraints") return field.read(out.topology_spread);
        if (key == "tolerations") return field.read(out.tolerations);
        if (key == "schedulerName") return field.read(out.scheduler_name);
        if (key == "nodeName") return field.read(out.node_name);
        if (key == "priorityClassName") return field.read(out.priority_class);
        if (key == "runtimeClassName") return field.read(out.runtime_class);
        if (key == "preemptionPolicy") return field.read(out.preemption_policy);
        if (key == "priority") return out.has_priority = true, field.read(out.priority);
        if (key == "terminationGracePeriodSeconds") return field.read(out.termination_grace_seconds);
        if (key == "hostNetwork") return field.read(out.host_network);
        if (key == "schedulingGates") return out.has_scheduling_gates = is_non_empty_list(field), true;
        if (key == "resourceClaims") return out.has_resource_claims = is_non_empty_list(field), true;
        if (key == "schedulingGroup" || key == "workloadRef") return out.in_pod_group = true;
        if (key == "resources") {
            field.each_field("claims", [&](std::string_view name, const Value& resources) {
                if (name == "requests") return resources.read(out.pod_requests);
                if (name == "limits") return resources.read(out.pod_limits);
                return false;
            });
            return true;
        }
        return false;
    });
    // The API server's default again: a limit of the pod is its request, unless a container asks for the same
    // resource.
    for (const auto& [name, limit] : out.pod_limits) {
        if (!asks_for(out.containers, name) && !asks_for(out.init_containers, name))
            out.pod_requests.try_emplace(name, limit);
    }
    keep_host_ports(out.containers, out.host_network);
    keep_host_ports(out.init_containers, out.host_network);
    if (out.scheduler_name.empty()) out.scheduler_name = "default-scheduler";
}

namespace {

// The scheduler heeds what is allocated only where it is also said what runs: nothing, otherwise.
std::optional<HeldRequests> read_held(const Value& status, std::string* name) {
    HeldRequests out;
    bool says_what_runs = false;
    status.each_field("*", [&](std::string_view key, const Value& field) {
        if (key == "name") return name == nullptr || field.read(*name);
        if (key == "allocatedResources") return field.read(out.allocated);
        if (key != "resources") return false;
        says_what_runs = true;
        field.each_field("*", [&](std::string_view part, const Value& amounts) {
            return part == "requests" && amounts.read(out.actuated);
        });
        return true;
    });
    return says_what_runs ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

void read_value(const Value& value, PodStatus& out) {
    out.held_by_pod = read_held(value, nullptr);
    value.each_field("*", [&](std::string_view key, const Value& field) {
        if (key == "phase") return field.read(out.phase);
        if (key == "nominatedNodeName") return field.read(out.nominated_node);
        if (key == "conditions") return field.read(out.conditions);
        if (key == "startTime") return field.read(out.started);
        if (key == "containerStatuses" || key == "initContainerStatuses") {
            field.each_item([&](const Value& item) {
                std::string name;
                if (auto held = read_held(item, &name)) out.held[name] = std::move(*held);
            });
            return true;
        }
        return false;
    });
    if (out.phase.empty()) out.phase = "Pending";
}

void read_value(const Value& value, Pod& out) {
    read_object(value, out, "", [&](std::string_view key, const Value& field) {
        if (key == "spec") return field.read(out.spec);
        if (key == "status") return field.read(out.status);
        return false;
    });
}

void read_value(const Value& value, Node& out) {
    read_object(value, out, "", [&](std::string_view part, const Value& body) {
        if (part == "spec") {
            body.each_field("podCIDR podCIDRs configSource externalID",
                            [&](std::string_view key, const Value& field) {
                                if (key == "providerID") return field.read(out.provider_id);
                                if (key == "taints") return field.read(out.taints);
                                if (key == "unschedulable") return field.read(out.unschedulable);
                                return false;
                            });
            return true;
        }
        if (part == "status") {
            body.each_field("*", [&](std::string_view key, const Value& field) {
                if (key == "capacity") return field.read(out.capacity);
                if (key == "allocatable") return field.read(out.allocatable);
                if (key == "conditions") return field.read(out.conditions);
                if (key == "nodeInfo") {
                    field.each_field("*", [&](std::string_view name, const Value& member) {
                        return name == "bootID" && member.read(out.boot_id);
                    });
                    return true;
                }
                return false;
            });
            return true;
        }
        return false;
    });
}

void read_value(const Value& value, PersistentVolumeClaim& out) {
    read_object(value, out, "", [&](std::string_view part, const Value& body) {
        if (part == "spec") {
            body.each_field("*", [&](std::string_view key, const Value& field) {
                if (key == "volumeName") return field.read(out.volume_name);
                if (key == "storageClassName")
                    return out.has_storage_class = true, field.read(out.storage_class);
                if (key == "accessModes") return field.read(out.access_modes);
                if (key == "resources") {
                    field.each_field("limits", [&](std::string_view name, const Value& amounts) {
                        return name == "requests" && amounts.read(out.requests);
                    });
                    return true;
                }
                return false;
            });
            return true;
        }
        if (part == "status") {
            body.each_field("*", [&](std::string_view key, const Value& field) {
                return key == "phase" && field.read(out.phase);
            });
            return true;
        }
        return false;
    });
}

void read_value(const Value& value, Service& out) {
    read_object(value, out, "status", [&](std::string_view part, const Value& body) {
        if (part != "spec") return false;
        body.each_field("*", [&](std::string_view key, const Value& field) {
            return key == "selector" && field.read(out.selector);
        });
        return true;
    });
}

void read_value(const Value& value, Namespace& out) {
    read_object(value, out, "spec status", [](std::string_view, const Value&) { return false; });
}

void read_value(const Value& value, PersistentVolume& out) {
    read_object(value, out, "status", [&](std::string_view part, const Value& body) {
        if (part != "spec") return false;
        body.each_field("*", [&](std::string_view key, const Value& field) {
            if (key == "csi") {
                field.each_field("*", [&](std::string_view name, const Value& member) {
                    return name == "driver" && member.read(out.csi_driver);
                });
                return true;
            }
            if (key == "local" || key == "hostPath") return out.is_local_or_host_path = true;
            if (key == "storageClassName") return field.read(out.storage_class);
            if (key == "capacity") return field.read(out.capacity);
            if (key == "claimRef") {
                std::string ns;
                std::string name;
                field.each_field("*", [&](std::string_view member, const Value& text) {
                    if (member == "namespace") return text.read(ns);
                    return member == "name" && text.read(name);
                });
                out.claim = ns + "/" + name;
                return true;
            }
            if (key == "nodeAffinity") {
                field.each_field("", [&](std::string_view name, const Value& required) {
                    if (name != "required") return false;
                    required.each_field("", [&](std::string_view inner, const Value& terms) {
                        return inner == "nodeSelectorTerms" && terms.read(out.node_terms);
                    });
                    return true;
                });
                return true;
            }
            return false;
        });
        return true;
    });
}

void read_value(const Value& value, LimitRange& out) {
    read_object(value, out, "", [&](std::string_view key, const Value& field) {
        if (key != "spec") return false;
        field.each_field("", [&](std::string_view name, const Value& limits) {
            if (name != "limits") return false;
            limits.each_item([&](const Value& item) {
                std::string type;
                ResourceMap requests;
                ResourceMap most;
                ResourceMap bound_above;
                ResourceMap bound_below;
                item.each_field("maxLimitRequestRatio", [&](std::string_view part, const Value& amount) {
                    if (part == "type") return amount.read(type);
                    if (part == "defaultRequest") return amount.read(requests);
                    if (part == "default") return amount.read(most);
                    if (part == "max") return amount.read(bound_above);
                    return part == "min" && amount.read(bound_below);
                });
                if (type != "Container") return;
                // The API server's defaults, where it has not filled them in yet.
                most.merge(bound_above);
                requests.insert(most.begin(), most.end());
                requests.merge(bound_below);
                out.default_requests.merge(requests);
                out.default_limits.merge(most);
            });
            return true;
        });
        return true;
    });
}

void read_value(const Value& value, StorageClass& out) {
    constexpr std::string_view kIgnored = "parameters reclaimPolicy mountOptions allowVolumeExpansion";
    read_object(value, out, kIgnored, [&](std::string_view key, const Value& field) {
        if (key == "provisioner") return field.read(out.provisioner);
        if (key == "volumeBindingMode") return field.read(out.binding_mode);
        if (key == "allowedTopologies") {
            field.each_item([&](const Value& item) {
                NodeSelectorTerm& term = out.allowed_topologies.emplace_back();
                item.each_field("", [&](std::string_view name, const Value& expressions) {
                    return name == "matchLabelExpressions" && expressions.read(term.match_expressions);
                });
                for (SelectorRequirement& requirement : term.match_expressions) requirement.op = "In";
            });
            return true;
        }
        return false;
    });
}

void read_value(const Value& value, CSINode& out) {
    read_object(value, out, "status", [&](std::string_view part, const Value& body) {
        if (part != "spec") return false;
        body.each_field("", [&](std::string_view key, const Value& drivers) {
            if (key != "drivers") return false;
            drivers.each_item([&](const Value& driver) {
                std::string name;
                std::optional<int> count;
                std::vector<std::string> keys;
                driver.each_field("*", [&](std::string_view member, const Value& field) {
                    if (member == "name") return field.read(name);
                    if (member == "topologyKeys") return field.read(keys);
                    if (member != "allocatable") return false;
                    field.each_field("", [&](std::string_view inner, const Value& number) {
                        return inner == "count" && number.read(count);
                    });
                    return true;
                });
                if (count) out.volume_limits[name] = *count;
                // None, too: that is how a driver is known to be on the node.
                out.topology_keys[name] = std::move(keys);
            });
            return true;
        });
        return true;
    });
}

void read_value(const Value& value, VolumeAttachment& out) {
    read_object(value, out, "status", [&](std::string_view part, const Value& body) {
        if (part != "spec") return false;
        body.each_field("attacher", [&](std::string_view key, const Value& field) {
            if (key == "nodeName") return field.read(out.node_name);
            if (key != "source") return false;
            field.each_field("*", [&](std::string_view name, const Value& member) {
                return name == "persistentVolumeName" && member.read(out.volume_name);
            });
            return true;
        });
        return true;
    });
}

void read_value(const Value& value, PodDisruptionBudget& out) {
    read_object(value, out, "", [&](std::string_view part, const Value& body) {
        if (part == "spec") {
            body.each_field("", [&](std::string_view key, const Value& field) {
                if (key == "selector") return field.read(out.selector);
                if (key == "minAvailable") return field.read(out.min_available);
                if (key == "maxUnavailable") return field.read(out.max_unavailable);
                if (key == "unhealthyPodEvictionPolicy") return field.read(out.unhealthy_eviction_policy);
                return false;
            });
            return true;
        }
        if (part == "status") {
            body.each_field("*", [&](std::string_view key, const Value& field) {
                return key == "disruptionsAllowed" && field.read(out.disruptions_allowed);
            });
            return true;
        }
        return false;
    });
}

void read_value(const Value& value, PriorityClass& out) {
    read_object(value, out, "description", [&](std::string_view key, const Value& field) {
        if (key == "value") return field.read(out.value);
        if (key == "globalDefault") return field.read(out.global_default);
        if (key == "preemptionPolicy") return field.read(out.preemption_policy);
        return false;
    });
}

void read_value(const Value& value, RuntimeClass& out) {
    read_object(value, out, "handler", [&](std::string_view part, const Value& body) {
        if (part == "overhead") {
            body.each_field("", [&](std::string_view key, const Value& field) {
                return key == "podFixed" && field.read(out.overhead);
            });
            return true;
        }
        if (part == "scheduling") {
            body.each_field("", [&](std::string_view key, const Value& field) {
                if (key == "nodeSelector") return field.read(out.node_selector);
                if (key == "tolerations") return field.read(out.tolerations);
                return false;
            });
            return true;
        }
        return false;
    });
}

Result<Pod> decode_pod(std::string_view json, DecodeNotes* notes) {
    return decode<Pod>(json, notes);
}
Result<Node> decode_node(std::string_view json, DecodeNotes* notes) {
    return decode<Node>(json, notes);
}
Result<Service> decode_service(std::string_view json, DecodeNotes* notes) {
    return decode<Service>(json, notes);
}
Result<Namespace> decode_namespace(std::string_view json, DecodeNotes* notes) {
    return decode<Namespace>(json, notes);
}
Result<PersistentVolumeClaim> decode_persistent_volume_claim(std::string_view json, DecodeNotes* notes) {
    return decode<PersistentVolumeClaim>(json, notes);
}
Result<PersistentVolume> decode_persistent_volume(std::string_view json, DecodeNotes* notes) {
    return decode<PersistentVolume>(json, notes);
}
Result<StorageClass> decode_storage_class(std::string_view json, DecodeNotes* notes) {
    return decode<StorageClass>(json, notes);
}
Result<CSINode> decode_csi_node(std::string_view json, DecodeNotes* notes) {
    return decode<CSINode>(json, notes);
}
Result<LimitRange> decode_limit_range(std::string_view json, DecodeNotes* notes) {
    return decode<LimitRange>(json, notes);
}
Result<VolumeAttachment> decode_volume_attachment(std::string_view json, DecodeNotes* notes) {
    return decode<VolumeAttachment>(json, notes);
}
Result<PodDisruptionBudget> decode_pod_disruption_budget(std::string_view json, DecodeNotes* notes) {
    return decode<PodDisruptionBudget>(json, notes);
}
Result<PriorityClass> decode_priority_class(std::string_view json, DecodeNotes* notes) {
    return decode<PriorityClass>(json, notes);
}
Result<RuntimeClass> decode_runtime_class(std::string_view json, DecodeNotes* notes) {
    return decode<RuntimeClass>(json, notes);
}

Result<ObjectMeta> decode_meta(std::string_view json) {
    ObjectMeta meta;
    TRY_STATUS(read_document(
        json, nullptr,
        [](const Value& value, void* out) {
            value.each_field("*", [&](std::string_view key, const Value& field) {
                return key == "metadata" && field.read(*static_cast<ObjectMeta*>(out));
            });
        },
        &meta));
    return meta;
}

}  // namespace joiner::api
