// A fleet of type "instant" as we ask for it (CreateFleet), and what comes of it. Value types; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"

namespace joiner::cloud::ec2 {

// One thing that the fleet may buy. The zone always goes along: failures and instances are known by it.
struct FleetOverride {
    std::string type;
    std::string zone;
    std::string subnet;  // Empty: not sent.
    std::string image_id;
    std::optional<double> priority;

    friend bool operator==(const FleetOverride&, const FleetOverride&) = default;
};

struct FleetTemplate {
    std::string launch_template;  // By name; its latest version.
    std::vector<FleetOverride> overrides;

    friend bool operator==(const FleetTemplate&, const FleetTemplate&) = default;
};

struct FleetRequest {
    std::string client_token;         // The same token and the same request are one fleet.
    std::string capacity_type;        // "on-demand", "spot", "capacity-block" or "reserved-capacity".
    std::string allocation_strategy;  // Empty: not sent.
    int count = 1;
    std::vector<FleetTemplate> templates;
    std::string context;  // Empty: not sent.
    api::StringMap tags;  // Of the fleet, its instances and their volumes.

    friend bool operator==(const FleetRequest&, const FleetRequest&) = default;
};

struct FleetError {
    std::string code;
    std::string message;
    std::string lifecycle;  // "on-demand" or "spot"; empty: not said.
    FleetOverride which;    // Empty fields: not said.
    std::string launch_template;

    friend bool operator==(const FleetError&, const FleetError&) = default;
};

struct FleetInstances {
    std::vector<std::string> ids;
    std::string type;
    std::string lifecycle;
    FleetOverride which;
    std::string launch_template;

    friend bool operator==(const FleetInstances&, const FleetInstances&) = default;
};

struct FleetAnswer {
    std::string fleet_id;
    std::vector<FleetInstances> instances;
    std::vector<FleetError> errors;  // Also beside instances.

    friend bool operator==(const FleetAnswer&, const FleetAnswer&) = default;
};

}  // namespace joiner::cloud::ec2
