// What a Node says of where and how its machine was bought: whose cloud, which region, zone, type and
// capacity type, in the labels of any provider or autoscaler that puts them there. Pure; any thread. Source
// of the labels: docs/catalogues.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/core.h"

namespace joiner::cloud::catalogue {

enum class Cloud { kAws, kAzure, kGoogle };

// "AWS", "Azure", "Google Cloud".
std::string_view name_of(Cloud cloud);

// By providerID, then by labels that only one cloud's nodes carry. None for a node of any other cloud, of a
// machine of one's own, or of a pretend cluster.
std::optional<Cloud> cloud_of(const api::Node& node);

// These are empty where the node does not say.
std::string region_of(const api::Node& node);  // Else from its zone.
std::string zone_of(const api::Node& node);    // An Azure machine outside zones has "0", as its label says.
std::string type_of(const api::Node& node);

// "us-east-1" of "us-east-1a", "us-central1" of "us-central1-a", "eastus" of "eastus-1"; empty where the zone
// does not say it.
std::string region_of_zone(std::string_view zone, std::optional<Cloud> cloud);

// "spot", "on-demand" or "reserved"; on-demand where nothing says otherwise.
std::string_view capacity_type_of(const api::Node& node);

}  // namespace joiner::cloud::catalogue
