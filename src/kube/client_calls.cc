// The calls of Client that are one request in words.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "kube/client.h"

namespace joiner::kube {
namespace {

using nlohmann::json;

// The server itself tries an eviction again for 10 s when the pod has another uid, before it answers 409.
constexpr Duration kEvictionTimeout = std::chrono::seconds{20};

std::string dump(const json& document) {
    return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string path_of(const Resource& resource, std::string_view ns, std::string_view name,
                    std::string_view subresource) {
    std::string path = resource.group.empty() ? fmt::format("/api/{}", resource.version)
                                              : fmt::format("/apis/{}/{}", resource.group, resource.version);
    if (resource.namespaced && !ns.empty()) path += fmt::format("/namespaces/{}", ns);
    path += fmt::format("/{}", resource.plural);
    if (!name.empty()) path += fmt::format("/{}", name);
    if (!subresource.empty()) path += fmt::format("/{}", subresource);
    return path;
}

void Client::get(const Resource& r, std::string_view ns, std::string_view name, Done done) {
    send(
        {
            .method = "GET",
            .path = path_of(r, ns, name),
        },
        std::move(done));
}

void Client::create(const Resource& r, std::string_view ns, std::string body, Done done) {
    send({.method = "POST", .path = path_of(r, ns), .body = std::move(body)}, std::move(done));
}

void Client::patch(const Resource& r, std::string_view ns, std::string_view name,
                   std::string_view subresource, PatchType type, std::string body, Done done) {
    send({.method = "PATCH",
          .path = path_of(r, ns, name, subresource),

          .body = std::move(body),
          .content_type =
              type == PatchType::kMerge ? "application/merge-patch+json" : "application/json-patch+json"},
         std::move(done));
}

void Client::replace(const Resource& r, std::string_view ns, std::string_view name,
                     std::string_view subresource, std::string body, Done done) {
    send({.method = "PUT", .path = path_of(r, ns, name, subresource), .body = std::move(body)},
         std::move(done));
}

void Client::remove(const Resource& r, std::string_view ns, std::string_view name,
                    const DeleteOptions& options, Done done) {
    json body = {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}};
    if (!options.uid.empty()) body["preconditions"]["uid"] = options.uid;
    if (!options.resource_version.empty())
        body["preconditions"]["resourceVersion"] = options.resource_version;
    if (options.grace_seconds >= 0) body["gracePeriodSeconds"] = options.grace_seconds;
    send({.method = "DELETE", .path = path_of(r, ns, name), .body = dump(body)}, std::move(done));
}

void Client::evict(std::string_view ns, std::string_view pod, std::string_view uid, Done done) {
    json body = {
        {"apiVersion", "policy/v1"}, {"kind", "Eviction"}, {"metadata", {{"name", pod}, {"namespace", ns}}}};
    if (!uid.empty()) body["deleteOptions"]["preconditions"]["uid"] = uid;
    send({.method = "POST",
          .path = path_of(kPods, ns, pod, "eviction"),
          .body = dump(body),
          .timeout = kEvictionTimeout},
         std::move(done));
}

void Client::bind(std::string_view ns, std::string_view pod, std::string_view uid, std::string_view node,
                  Done done) {
    json body = {{"apiVersion", "v1"},
                 {"kind", "Binding"},
                 {"metadata", {{"name", pod}, {"namespace", ns}}},
                 {"target", {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}}}};
    if (!uid.empty()) body["metadata"]["uid"] = uid;
    send({.method = "POST",
          .path = path_of(kPods, ns, pod, "binding"),

          .body = dump(body),
          .lane = Lane::kBinding},
         std::move(done));
}

}  // namespace joiner::kube
