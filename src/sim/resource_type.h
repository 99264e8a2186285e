// The kinds the API server serves: those built in, and those that CustomResourceDefinitions add while it
// runs. Pointers to types stay valid for the registry's life, even when a custom kind is withdrawn. Loop
// thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/schema.h"

namespace joiner::sim {

struct PrinterColumn {
    std::string name;
    std::string type;
    std::string format;
    std::string description;
    std::string json_path;
    int priority = 0;
};

struct ScalePaths {
    std::vector<std::string> spec_replicas;  // {"spec", "replicas"}
    std::vector<std::string> status_replicas;
    std::vector<std::string> selector;  // Empty: the kind names none. A text, or a LabelSelector.
};

struct ResourceType {
    std::string group;
    std::string version;
    std::string plural;
    std::string singular;
    std::string kind;
    std::string list_kind;
    std::vector<std::string> short_names;
    std::vector<std::string> categories;
    bool is_namespaced = false;
    bool is_custom = false;
    bool has_status = false;  // As a subresource, written apart from the rest.
    std::optional<ScalePaths> scale;

    // How the kind's own strategy differs.
    bool has_generation = false;
    bool may_create_by_update = false;
    bool needs_version_in_update = false;
    bool returns_deleted_object = false;
    bool orphans_dependents = false;

    OwnedSchema schema;                  // A null root: anything goes.
    std::vector<PrinterColumn> columns;  // Of custom kinds.
    std::string definition;              // The CustomResourceDefinition's name.
    std::size_t serial = 0;              // Another one for each schema ever served.

    std::string api_version() const { return group.empty() ? version : group + "/" + version; }
    // "pods", "nodepools.karpenter.sh": as it is called in messages, and what its objects are stored under.
    std::string resource_name() const { return group.empty() ? plural : plural + "." + group; }
};

class Registry {
  public:
    Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    // nullptr when the kind is not served.
    const ResourceType* find(std::string_view group, std::string_view version, std::string_view plural) const;
    const ResourceType* find_kind(std::string_view api_version, std::string_view kind) const;
    // By plural, singular, kind or short name, in this order of groups; "pods", "nodepools.karpenter.sh".
    const ResourceType* find_word(std::string_view word) const;
    // In the order of discovery: built-in groups first.
    const std::vector<const ResourceType*>& types() const { return served_; }

    // The kind of a CustomResourceDefinition, which replaces an earlier one of the same name. Errors are 422.
    Answer<const ResourceType*> serve_custom(const Json& definition);
    void withdraw(std::string_view definition_name);

  private:
    std::vector<std::unique_ptr<ResourceType>> owned_;
    std::vector<const ResourceType*> served_;
};

}  // namespace joiner::sim
