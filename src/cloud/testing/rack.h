// A second cloud, for tests: machines stand in a rack, and what there is of each offering is counted. The
// rack has the faults of a cloud; the provider over it is as small as a provider can be. Loop thread.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/names.h"
#include "cloud/provider.h"
#include "io/loop.h"

namespace joiner::cloud::testing {

inline constexpr std::string_view kRackGroup = "rack.test";
inline constexpr std::string_view kRackKind = "RackNodeClass";

// What goes wrong between the provider and the rack.
struct RackFaults {
    int lose_answers = 0;  // So many next answers never come; what was asked for is done.
    int hang = 0;          // Likewise of so many next launches alone.
    int throttle = 0;      // So many next requests are turned away.
    bool forbid = false;   // Every launch is.
    Duration slow{0};      // Each answer comes so much later.
    Duration list_lag{0};  // Lists show what was so long ago.
};

struct RackMachine {
    std::string id;
    std::string token;  // Of the launch; empty: put there by somebody else.
    std::string claim_name;
    std::string node_class;
    rules::OfferingKey offering;
    WallTime launched = kNoTime;
    WallTime gone = WallTime::max();
};

class Rack {
  public:
    explicit Rack(io::Loop& loop) : loop_(loop) {}

    RackFaults faults;
    std::set<rules::OfferingKey> sold_out;
    std::map<rules::OfferingKey, int> refused;  // How often each was asked for while it was sold out.
    std::function<void(const RackMachine&)> on_launch;
    std::function<void(const LaunchRequest&)> on_asked;

    // The machine of this token, or a new one; nullptr: sold out.
    const RackMachine* launch(const std::string& token, const std::string& claim_name,
                              const std::string& node_class, const rules::OfferingKey& offering) {
        for (const RackMachine& machine : machines_) {
            if (!token.empty() && machine.token == token && is_there(machine)) return &machine;
        }
        if (sold_out.contains(offering)) {
            ++refused[offering];
            return nullptr;
        }
        machines_.push_back(
            {fmt::format("rack://{}", ++last_), token, claim_name, node_class, offering, loop_.now()});
        if (on_launch) on_launch(machines_.back());
        return &machines_.back();
    }
    bool stop(const std::string& id) {
        for (RackMachine& machine : machines_) {
            if (machine.id != id || !is_there(machine)) continue;
            machine.gone = loop_.now();
            return true;
        }
        return false;
    }
    const RackMachine* find(const std::string& id) const {
        for (const RackMachine& machine : machines_) {
            if (machine.id == id && is_there(machine)) return &machine;
        }
        return nullptr;
    }
    std::vector<RackMachine> machines(Duration ago = {}) const {
        const WallTime at = loop_.now() - ago;
        std::vector<RackMachine> out;
        for (const RackMachine& machine : machines_) {
            if (machine.launched <= at && machine.gone > at) out.push_back(machine);
        }
        return out;
    }
    io::Loop& loop() { return loop_; }

  private:
    bool is_there(const RackMachine& machine) const { return machine.gone > loop_.now(); }

    io::Loop& loop_;
    std::vector<RackMachine> machines_;
    int last_ = 0;
};

// Two sizes in two zones, spot and on demand.
inline std::vector<rules::InstanceType> rack_types() {
    const auto one = [](std::string_view key, std::string value) {
        return rules::Requirement::in(std::string(key), {std::move(value)});
    };
    std::vector<rules::InstanceType> out;
    for (const int cpu : {4, 16}) {
        rules::InstanceType type;
        type.name = fmt::format("rack-{}", cpu);
        type.capacity.cpu_milli = cpu * 1000;
        type.capacity.memory_bytes = cpu * (std::int64_t{4} << 30);
        type.capacity.ephemeral_bytes = std::int64_t{100} << 30;
        type.capacity.pods = 110;
        type.requirements.add(one(api::kInstanceTypeLabel, type.name));
        type.requirements.add(one(api::kArchLabel, "amd64"));
        type.requirements.add(one(api::kOSLabel, "linux"));
        type.requirements.add(rules::Requirement::in(std::string(api::kZoneLabel), {"rack-a", "rack-b"}));
        type.requirements.add(
            rules::Requirement::in(std::string(api::kCapacityTypeLabel), {"on-demand", "spot"}));
        for (const char* zone : {"rack-a", "rack-b"}) {
            for (const char* capacity_type : {"on-demand", "spot"}) {
                rules::Offering offering;
                offering.requirements.add(one(api::kZoneLabel, zone));
                offering.requirements.add(one(api::kCapacityTypeLabel, capacity_type));
                const bool is_spot = std::string_view(capacity_type) == "spot";
                offering.price = rules::Money::from_dollars(cpu * (is_spot ? 0.01 : 0.02));
                type.offerings.push_back(std::move(offering));
            }
        }
        out.push_back(std::move(type));
    }
    return out;
}

class RackProvider final : public Provider {
  public:
    explicit RackProvider(Rack& rack, Reports* reports = nullptr) : rack_(rack), reports_(reports) {
        set_types(rack_types());
    }

    // As a cloud that has new prices or types.
    void set_types(std::vector<rules::InstanceType> types) {
        types_ = std::make_shared<const std::vector<rules::InstanceType>>(std::move(types));
        no_types_because_.clear();
        if (reports_ != nullptr) reports_->offers_changed();
    }
    // As a cloud that does not answer; told of as set_types() is.
    void hide_types(std::string because) {
        no_types_because_ = std::move(because);
        if (reports_ != nullptr) reports_->offers_changed();
    }
    DriftAnswer drifted;

    std::string_view name() const override { return "rack"; }
    std::vector<NodeClassResource> node_class_resources() const override {
        return {{kRackGroup, "v1", "racknodeclasses", kRackKind}};
    }
    const rules::RestrictedLabels& labels() const override { return labels_; }
    Result<InstanceTypes> instance_types(const api::NodePool&, const api::NodeClass* node_class) override {
        if (node_class == nullptr) return fail(ErrorKind::kNotReady, "its node class is not there");
        if (!no_types_because_.empty()) return fail(ErrorKind::kUnavailable, no_types_because_);
        return types_;
    }
    void reconcile(const api::NodeClass& node_class, const ClassFacts& facts,
                   std::function<void(Result<WantedClassState>)> done) override {
        const auto spec = nlohmann::json::parse(node_class.spec, nullptr, false);
        const bool is_valid = spec.is_object() && spec.contains("image");
        WantedClassState out;
        out.conditions = {{"ImageFound", is_valid ? "True" : "False", is_valid ? "ImageFound" : "NoImage",
                           is_valid ? "" : "spec.image is missing: name the image"}};
        out.status = is_valid ? nlohmann::json{{"image", spec["image"]}}.dump() : "{}";
        out.finalizer = "rack.test/termination";
        out.wants_finalizer = !node_class.meta.deleted || facts.is_in_use;
        answer<Result<WantedClassState>>(std::move(done), std::move(out));
    }
    DriftAnswer drift(const api::NodeClaim&, const api::NodePool&, const api::NodeClass*) override {
        return drifted;
    }
    void create(const LaunchRequest& request, LaunchDone done) override {
        if (rack_.on_asked) rack_.on_asked(request);
        if (rack_.faults.forbid)
            return answer<LaunchAnswer>(std::move(done), {fail(ErrorKind::kForbidden, "may not launch")});
        if (turned_away()) return answer<LaunchAnswer>(std::move(done), {throttled()});
        LaunchAnswer out{fail(ErrorKind::kExhausted, "nothing that was asked for stands in the rack")};
        for (const LaunchChoice& choice : request.choices) {
            const RackMachine* machine = rack_.launch(request.claim.meta.uid, request.claim.meta.name,
                                                      request.claim.node_class.name, choice.key());
            if (machine == nullptr) {
                out.exhausted.push_back(choice.key());
                continue;
            }
            out.instance = instance_of(*machine);
            out.taken = machine->offering;
            break;
        }
        if (rack_.faults.hang > 0 && rack_.faults.hang-- > 0) return;
        answer(std::move(done), std::move(out));
    }
    void remove(const std::string& id, std::function<void(Status)> done) override {
        if (!id.starts_with("rack://")) return answer<Status>(std::move(done), invalid("not in this rack"));
        if (turned_away()) return answer<Status>(std::move(done), throttled());
        const bool was_there = rack_.stop(id);
        answer<Status>(std::move(done), was_there ? Status{} : fail(ErrorKind::kNotFound, "it is gone"));
    }
    void get(const std::string& id, std::function<void(Result<Instance>)> done) override {
        if (!id.starts_with("rack://"))
            return answer<Result<Instance>>(std::move(done), invalid("not in this rack"));
        if (turned_away()) return answer<Result<Instance>>(std::move(done), throttled());
        const RackMachine* machine = rack_.find(id);
        if (machine == nullptr)
            return answer<Result<Instance>>(std::move(done), fail(ErrorKind::kNotFound, "it is gone"));
        answer<Result<Instance>>(std::move(done), instance_of(*machine));
    }
    void list(std::function<void(Result<std::vector<Instance>>)> done) override {
        if (turned_away()) return answer<Result<std::vector<Instance>>>(std::move(done), throttled());
        std::vector<Instance> out;
        for (const RackMachine& machine : rack_.machines(rack_.faults.list_lag)) {
            if (!machine.token.empty()) out.push_back(instance_of(machine));
        }
        answer<Result<std::vector<Instance>>>(std::move(done), std::move(out));
    }

  private:
    static tl::unexpected<Error> throttled() {
        return tl::unexpected<Error>(Error{ErrorKind::kThrottled, "asked for too often", 2});
    }
    bool turned_away() { return rack_.faults.throttle > 0 && rack_.faults.throttle-- > 0; }
    template <typename T>
    void answer(std::function<void(T)> done, T result) {
        if (rack_.faults.lose_answers > 0 && rack_.faults.lose_answers-- > 0) return;
        rack_.loop().after(rack_.faults.slow, [done = std::move(done), result = std::move(result)]() mutable {
            done(std::move(result));
        });
    }
    Instance instance_of(const RackMachine& machine) const {
        Instance out;
        out.provider_id = machine.id;
        out.claim_name = machine.claim_name;
        out.node_class = {std::string(kRackGroup), std::string(kRackKind), machine.node_class};
        out.labels = {{std::string(api::kInstanceTypeLabel), machine.offering.type},
                      {std::string(api::kZoneLabel), machine.offering.zone},
                      {std::string(api::kCapacityTypeLabel), machine.offering.capacity_type},
                      {std::string(api::kArchLabel), "amd64"},
                      {std::string(api::kOSLabel), "linux"}};
        out.launched = machine.launched;
        for (const rules::InstanceType& type : *types_) {
            if (type.name != machine.offering.type) continue;
            out.capacity = type.capacity;
            out.allocatable = type.allocatable();
        }
        return out;
    }

    Rack& rack_;
    Reports* reports_;
    InstanceTypes types_;
    std::string no_types_because_;
    rules::RestrictedLabels labels_;
};

}  // namespace joiner::cloud::testing
