#include "cli/uninstall/orphaning.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "api/names.h"

namespace joiner::cli {
namespace {

using nlohmann::json;

constexpr std::string_view kNodesPath = "/api/v1/nodes";
constexpr std::string_view kClaimsPath = "/apis/karpenter.sh/v1/nodeclaims";
// Of Karpenter's own providers and of this one.
constexpr std::array kFinalizers = {api::kTerminationFinalizer,
                                    std::string_view("karpenter.k8s.aws/termination")};

Result<json> items_of_list(std::string_view text) {
    json list = json::parse(text, nullptr, false);
    if (!list.is_object() || !list.contains("items") ||
        !(list["items"].is_array() || list["items"].is_null()))
        return invalid("the API server's list cannot be read: it is no list");
    return std::move(list["items"]);
}

const json& member_of(const json& object, const char* key) {
    static const json kNone;
    const auto it = object.is_object() ? object.find(key) : object.end();
    return object.is_object() && it != object.end() ? *it : kNone;
}

std::string name_in(const json& object) {
    const json& name = member_of(member_of(object, "metadata"), "name");
    return name.is_string() ? name.get<std::string>() : std::string();
}

bool is_text(const json& value, std::string_view text) {
    return value.is_string() && value.get_ref<const std::string&>() == text;
}

class PatchMaker {
  public:
    // Elements of the list at `path` that `goes` says yes to are taken out.
    template <typename Goes>
    void take_out(const json& list, std::string_view path, Goes goes) {
        if (!list.is_array()) return;
        json rest = json::array();
        for (const json& element : list) {
            if (!goes(element)) rest.push_back(element);
        }
        if (rest.size() == list.size()) return;
        operations_.push_back({{"op", "test"}, {"path", path}, {"value", list}});
        operations_.push_back({{"op", "replace"}, {"path", path}, {"value", rest}});
    }

    std::string text() const { return operations_.empty() ? std::string() : operations_.dump(); }

  private:
    json operations_ = json::array();
};

bool is_our_finalizer(const json& finalizer) {
    return std::any_of(kFinalizers.begin(), kFinalizers.end(),
                       [&](std::string_view ours) { return is_text(finalizer, ours); });
}

bool is_claim_owner(const json& owner) {
    const json& version = member_of(owner, "apiVersion");
    return is_text(member_of(owner, "kind"), "NodeClaim") && version.is_string() &&
           version.get_ref<const std::string&>().starts_with("karpenter.sh/");
}

// What keeps pods off because the node was to go, or had not been heard of.
bool is_our_taint(const json& taint) {
    const json& key = member_of(taint, "key");
    return is_text(key, "karpenter.sh/disrupted") || is_text(key, api::kUnregisteredTaint);
}

}  // namespace

Result<std::vector<OrphanStep>> orphan_nodes(std::string_view nodes) {
    TRY(const json items, items_of_list(nodes));
    std::vector<OrphanStep> out;
    for (const json& node : items) {
        const json& meta = member_of(node, "metadata");
        PatchMaker patch;
        patch.take_out(member_of(meta, "ownerReferences"), "/metadata/ownerReferences", is_claim_owner);
        patch.take_out(member_of(meta, "finalizers"), "/metadata/finalizers", is_our_finalizer);
        if (std::string text = patch.text(); !text.empty()) {
            // Taints of a node that nobody has as its own are left alone.
            patch.take_out(member_of(member_of(node, "spec"), "taints"), "/spec/taints", is_our_taint);
            out.push_back({fmt::format("{}/{}", kNodesPath, name_in(node)), patch.text(), false,
                           "node " + name_in(node)});
        }
    }
    return out;
}

Result<std::vector<std::string>> nodes_on_their_way_out(std::string_view nodes) {
    TRY(const json items, items_of_list(nodes));
    std::vector<std::string> out;
    for (const json& node : items) {
        const json& meta = member_of(node, "metadata");
        const json& finalizers = member_of(meta, "finalizers");
        const bool is_ours =
            finalizers.is_array() && std::any_of(finalizers.begin(), finalizers.end(), is_our_finalizer);
        if (is_ours && !member_of(meta, "deletionTimestamp").is_null()) out.push_back(name_in(node));
    }
    return out;
}

Result<std::vector<OrphanStep>> orphan_claims(std::string_view claims) {
    TRY(std::vector<OrphanStep> released, release_objects(claims, kClaimsPath));
    TRY(const json items, items_of_list(claims));
    std::vector<OrphanStep> out;
    for (const json& claim : items) {
        OrphanStep step{fmt::format("{}/{}", kClaimsPath, name_in(claim)), "", true,
                        "NodeClaim " + name_in(claim)};
        for (OrphanStep& one : released) {
            if (one.path == step.path) step.patch = std::move(one.patch);
        }
        out.push_back(std::move(step));
    }
    return out;
}

Result<std::vector<OrphanStep>> release_objects(std::string_view objects, std::string_view path) {
    TRY(const json items, items_of_list(objects));
    std::vector<OrphanStep> out;
    for (const json& object : items) {
        PatchMaker patch;
        patch.take_out(member_of(member_of(object, "metadata"), "finalizers"), "/metadata/finalizers",
                       is_our_finalizer);
        if (std::string text = patch.text(); !text.empty())
            out.push_back({fmt::format("{}/{}", path, name_in(object)), std::move(text), false,
                           std::string(path.substr(path.rfind('/') + 1)) + " " + name_in(object)});
    }
    return out;
}

}  // namespace joiner::cli
