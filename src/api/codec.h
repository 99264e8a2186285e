// JSON in and out for the structs of this layer. Decoders read one object's JSON text and keep only the
// fields the structs have; a field of the wrong type is a kInvalid error naming its path and the object.
// Encoders write what the API server expects in a create; patches are built where they are sent. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/core.h"
#include "api/karpenter.h"
#include "base/result.h"

namespace joiner::api {

// What a decoder met and did not know, for telling a person about a misspelt field.
struct DecodeNotes {
    std::vector<std::string> unknown_fields;  // "spec.template.spec.requirments"
};

Result<Pod> decode_pod(std::string_view json, DecodeNotes* notes = nullptr);
Result<Node> decode_node(std::string_view json, DecodeNotes* notes = nullptr);
Result<Workload> decode_workload(std::string_view json,
                                 DecodeNotes* notes = nullptr);  // The kind comes from the document.
Result<Workload> decode_replication_controller(std::string_view json, DecodeNotes* notes = nullptr);
Result<Job> decode_job(std::string_view json, DecodeNotes* notes = nullptr);
Result<Service> decode_service(std::string_view json, DecodeNotes* notes = nullptr);
// As a workload of no replicas.
Result<Workload> decode_pod_template(std::string_view json, DecodeNotes* notes = nullptr);
Result<Namespace> decode_namespace(std::string_view json, DecodeNotes* notes = nullptr);
Result<PersistentVolumeClaim> decode_persistent_volume_claim(std::string_view json,
                                                             DecodeNotes* notes = nullptr);
Result<PersistentVolume> decode_persistent_volume(std::string_view json, DecodeNotes* notes = nullptr);
Result<StorageClass> decode_storage_class(std::string_view json, DecodeNotes* notes = nullptr);
Result<CSINode> decode_csi_node(std::string_view json, DecodeNotes* notes = nullptr);
Result<LimitRange> decode_limit_range(std::string_view json, DecodeNotes* notes = nullptr);
Result<VolumeAttachment> decode_volume_attachment(std::string_view json, DecodeNotes* notes = nullptr);
Result<PodDisruptionBudget> decode_pod_disruption_budget(std::string_view json, DecodeNotes* notes = nullptr);
Result<PriorityClass> decode_priority_class(std::string_view json, DecodeNotes* notes = nullptr);
Result<RuntimeClass> decode_runtime_class(std::string_view json, DecodeNotes* notes = nullptr);

// A NodePool with a broken field still decodes, with `spec_problem` set, so that its condition can say so.
Result<NodePool> decode_node_pool(std::string_view json, DecodeNotes* notes = nullptr);
// The pool has the node class that is made for it. What today's API cannot say is in its spec_problem, as a
// broken field is.
Result<Provisioner> decode_provisioner(std::string_view json);
Result<NodeClaim> decode_node_claim(std::string_view json, DecodeNotes* notes = nullptr);
Result<NodeOverlay> decode_node_overlay(std::string_view json, DecodeNotes* notes = nullptr);
Result<CapacityBuffer> decode_capacity_buffer(std::string_view json, DecodeNotes* notes = nullptr);
// Of any kind; its group and kind as the document says, empty where it does not.
Result<NodeClass> decode_node_class(std::string_view json, DecodeNotes* notes = nullptr);

// Only metadata, of any kind.
Result<ObjectMeta> decode_meta(std::string_view json);

std::string encode_node_claim(const NodeClaim& claim);
std::string encode_node(const Node& node);
// The JSON array text of conditions, taints, requirements, owner references; for building patches.
std::string encode_conditions(const std::vector<Condition>& conditions);
std::string encode_taints(const std::vector<Taint>& taints);
std::string encode_requirements(const std::vector<SelectorRequirement>& requirements);
std::string encode_owners(const std::vector<OwnerReference>& owners);
std::string encode_string_map(const StringMap& map);
std::string encode_resource_map(const ResourceMap& map);
// `text` as a JSON string, with its quotes.
std::string encode_string(std::string_view text);

}  // namespace joiner::api
