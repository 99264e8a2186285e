#include "control/buffer_keeper.h"

#include <nlohmann/json.hpp>

#include "act/object_writer.h"
#include "api/codec.h"
#include "model/headroom.h"
#include "rules/conditions.h"

namespace joiner::control {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kReady = "ReadyForProvisioning";
constexpr std::string_view kProvisioning = "Provisioning";

// This kind has no root condition that the others add up to.
class Conditions {
  public:
    Conditions(const api::CapacityBuffer& buffer, WallTime now)
        : out_(buffer.conditions), generation_(buffer.meta.generation), now_(now) {}

    void set(std::string_view type, bool is_true, std::string_view reason, std::string message) {
        auto it = std::find_if(out_.begin(), out_.end(), [&](const auto& one) { return one.type == type; });
        if (it == out_.end()) it = out_.insert(out_.end(), api::Condition{});
        const std::string_view status = is_true ? "True" : "False";
        if (it->status != status) it->last_transition = now_;
        it->type = type;
        it->status = status;
        it->reason = reason;
        it->message = std::move(message);
        it->observed_generation = generation_;
    }
    std::vector<api::Condition> take() { return std::move(out_); }

  private:
    std::vector<api::Condition> out_;
    std::int64_t generation_;
    WallTime now_;
};

}  // namespace

void BufferKeeper::reconcile() {
    for (const auto& [key, kept] : services_.cluster.buffers()) {
        if (!kept.object.meta.deleted && patches_.may_send(kube::kCapacityBuffers, kept.object.meta))
            reconcile(key, kept.object);
    }
}

std::vector<api::Condition> BufferKeeper::wanted_conditions(const std::string& key,
                                                            const api::CapacityBuffer& buffer,
                                                            const model::Headroom& headroom) const {
    Conditions out(buffer, services_.loop.now());
    if (headroom.source == nullptr) {
        out.set(kReady, false, headroom.reason, headroom.problem);
        out.set(kProvisioning, false, "NotReadyForProvisioning", "it is not known what to keep room for");
        return out.take();
    }
    out.set(kReady, true, "Resolved", "");
    if (headroom.replicas == 0) {
        out.set(kProvisioning, false, "BufferEmpty", "it asks for no room");
        return out.take();
    }
    const auto place = provisioner_.headroom().places().find(key);
    if (place == provisioner_.headroom().places().end()) return out.take();
    if (place->second == HeadroomBook::Place::kIsThere) {
        out.set(kProvisioning, true, "FitsExistingCapacity", "");
    } else {
        out.set(kProvisioning, false, "RequiresNewCapacity", "some of the room is still to come");
    }
    return out.take();
}

void BufferKeeper::reconcile(const std::string& key, const api::CapacityBuffer& buffer) {
    const model::Headroom headroom = model::headroom_of(services_.cluster, buffer);
    Json status = Json::object();
    if (const auto wanted = wanted_conditions(key, buffer, headroom); wanted != buffer.conditions)
        status["conditions"] = Json::parse(api::encode_conditions(wanted));
    if (buffer.status_provisioning_strategy != buffer.provisioning_strategy)
        status["provisioningStrategy"] = buffer.provisioning_strategy;
    if (headroom.source != nullptr) {
        if (buffer.status_replicas != headroom.replicas) status["replicas"] = headroom.replicas;
        if (buffer.status_pod_template != buffer.pod_template) {
            status["podTemplateRef"] = nullptr;
            if (!buffer.pod_template.empty()) status["podTemplateRef"] = {{"name", buffer.pod_template}};
        }
        if (!buffer.pod_template.empty() &&
            buffer.status_pod_template_generation != headroom.source->generation)
            status["podTemplateGeneration"] = headroom.source->generation;
    }
    if (status.empty()) return;
    patches_.send(kube::kCapacityBuffers, buffer.meta, "status",
                  act::dump({{"metadata", {{"resourceVersion", buffer.meta.resource_version}}},
                             {"status", std::move(status)}}));
}

}  // namespace joiner::control
