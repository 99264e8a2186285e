#include "sim/api_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "api/manifest.h"
#include "sim/discovery.h"
#include "sim/http_text.h"
#include "sim/protobuf.h"
#include "sim/table.h"
#include "sim/verbs.h"
#include "sim/watch.h"

namespace joiner::sim {
namespace {

// What a request is about.
struct Subject {
    const ResourceType* type = nullptr;
    std::string ns;
    std::string name;
    std::string subresource;
};

struct Call {
    const Request& request;
    Target target;
    Subject subject;
    View view = View::kWhole;
};

// Nullopt: the client takes nothing we speak.
std::optional<View> view_of(std::string_view accept) {
    if (accept.empty()) return View::kWhole;
    while (!accept.empty()) {
        const std::size_t end = std::min(accept.find(','), accept.size());
        std::string_view media = accept.substr(0, end);
        accept.remove_prefix(std::min(end + 1, accept.size()));
        while (media.starts_with(' ')) media.remove_prefix(1);
        if (media.starts_with("*/*") || media.starts_with("application/*")) return View::kWhole;
        if (!media.starts_with("application/json")) continue;
        if (media.find("as=Table") != std::string_view::npos) {
            if (media.find("v=v1;") != std::string_view::npos ||
                media.find("v=v1beta1") == std::string_view::npos)
                return View::kTable;
            continue;
        }
        if (media.find("as=PartialObjectMetadata") != std::string_view::npos) return View::kMetadata;
        if (media.find("as=") == std::string_view::npos ||
            media.find("as=APIGroupDiscoveryList") != std::string_view::npos) {
            return View::kWhole;
        }
    }
    return std::nullopt;
}

std::optional<Version> parse_version(std::string_view text) {
    Version version = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return version;
}

Refusal too_large_version(Version asked, Version current) {
    Refusal refusal(ApiError{
        504,
        "Timeout",
        fmt::format("Timeout: Too large resource version: {}, current: {}", asked, current),
        {{"causes",
          Json::array({{{"reason", "ResourceVersionTooLarge"}, {"message", "Too large resource version"}}})}},
        1});
    return refusal;
}

Refusal bad_version(std::string_view text) {
    return bad_request(fmt::format(
        "resourceVersion: Invalid value: \"{0}\": strconv.ParseUint: parsing \"{0}\": invalid syntax", text));
}

std::optional<Subject> subject_of(const Registry& registry, const Target& target) {
    const auto& parts = target.segments;
    const bool is_core = !parts.empty() && parts[0] == "api";
    const std::size_t base = is_core ? 2 : 3;
    if (parts.size() <= base || (!is_core && parts[0] != "apis")) return std::nullopt;
    const std::string group = is_core ? "" : parts[1];
    const std::string& version = parts[base - 1];
    Subject subject;
    std::size_t at = base;
    const bool is_about_namespace =
        parts.size() == base + 3 && (parts[base + 2] == "status" || parts[base + 2] == "finalize");
    if (parts[at] == "namespaces" && parts.size() > base + 2 && !(is_core && is_about_namespace)) {
        subject.ns = parts[base + 1];
        at = base + 2;
    }
    subject.type = registry.find(group, version, parts[at]);
    if (!subject.type || parts.size() > at + 3) return std::nullopt;
    if (parts.size() > at + 1) subject.name = parts[at + 1];
    if (parts.size() > at + 2) subject.subresource = parts[at + 2];
    if (!subject.type->is_namespaced && !subject.ns.empty()) return std::nullopt;
    if (subject.type->is_namespaced && subject.ns.empty() && !subject.name.empty()) return std::nullopt;
    return subject;
}

Answer<Json> parse_body(const Request& request) {
    if (request.header("content-type").find("protobuf") != std::string_view::npos) {
        auto json = json_of_protobuf(request.body);
        if (!json) return bad_request(json.error().message);
        return std::move(*json);
    }
    if (auto json = parse_json(request.body)) return std::move(*json);
    if (request.header("content-type").find("yaml") != std::string_view::npos) {
        if (const auto text = api::yaml_to_json(request.body, "body")) {
            if (auto json = parse_json(*text)) return std::move(*json);
        }
    }
    return bad_request(
        "the object provided is unrecognized (must be of type Status): couldn't get version/kind; json parse "
        "error");
}

Answer<PatchKind> patch_kind(std::string_view content_type, bool is_custom) {
    if (content_type.starts_with("application/json-patch+json")) return PatchKind::kJson;
    if (content_type.starts_with("application/merge-patch+json")) return PatchKind::kMerge;
    if (content_type.starts_with("application/apply-patch+yaml")) return PatchKind::kApply;
    if (content_type.starts_with("application/strategic-merge-patch+json") && !is_custom)
        return PatchKind::kStrategic;
    return unsupported_media_type(
        fmt::format("the body of the request was in an unknown format - accepted media types include: "
                    "application/json-patch+json, "
                    "application/merge-patch+json, application/apply-patch+yaml{}",
                    is_custom ? "" : ", application/strategic-merge-patch+json"));
}

Propagation propagation_of(std::string_view text) {
    if (text == "Orphan") return Propagation::kOrphan;
    if (text == "Foreground") return Propagation::kForeground;
    if (text == "Background") return Propagation::kBackground;
    return Propagation::kDefault;
}

Answer<DeleteOptions> delete_options(const Call& call) {
    DeleteOptions options;
    std::string propagation(call.target.parameter("propagationPolicy"));
    if (const auto grace = parse_version(call.target.parameter("gracePeriodSeconds")))
        options.grace_seconds = static_cast<std::int64_t>(*grace);
    options.is_dry_run = !call.target.parameter("dryRun").empty();
    if (!call.request.body.empty()) {
        TRY_ANSWER(const Json body, parse_body(call.request));
        options.uid = text_at(body, {"preconditions", "uid"});
        options.resource_version = text_at(body, {"preconditions", "resourceVersion"});
        if (const Json* grace = find(body, {"gracePeriodSeconds"}); grace && grace->is_number())
            options.grace_seconds = grace->get<std::int64_t>();
        if (!text_at(body, {"propagationPolicy"}).empty()) propagation = text_at(body, {"propagationPolicy"});
        if (const Json* orphan = find(body, {"orphanDependents"}))
            propagation = *orphan == true ? "Orphan" : "Background";
        options.is_dry_run = options.is_dry_run || !array_at(body, {"dryRun"}).empty();
    }
    options.propagation = propagation_of(propagation);
    return options;
}

Json success_status(const Json* object, const ResourceType* type) {
    Json status = {
        {"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", Json::object()}, {"status", "Success"}};
    if (object && type) {
        status["details"] = {{"name", name_of(*object)}, {"kind", type->plural}, {"uid", uid_of(*object)}};
        if (!type->group.empty()) status["details"]["group"] = type->group;
    }
    return status;
}

}  // namespace

class ApiServer::Impl {
    io::Loop& loop_;
    const ApiServerOptions options_;

  public:
    Impl(io::Loop& loop, ApiServerOptions options)
        : loop_(loop), options_(options), store(options.history), verbs(loop, store, registry, options.seed) {
        for (const char* name : {"default", "kube-node-lease", "kube-public", "kube-system"}) {
            (void)verbs.create(verbs.type("namespaces"), "", {{"metadata", {{"name", name}}}});
        }
        for (const auto& [name, value] : {std::pair{"system-cluster-critical", 2'000'000'000},
                                          std::pair{"system-node-critical", 2'000'001'000}}) {
            (void)verbs.create(verbs.type("priorityclasses"), "",
                               {{"metadata", {{"name", name}}}, {"value", value}});
        }
    }

    void handle(const Request& request, const std::shared_ptr<Exchange>& exchange) {
        const auto refuse = [&](const ApiError& error) { exchange->reply(reply_of(error)); };
        Call call{request, parse_target(request.target), {}, View::kWhole};
        const auto view = view_of(request.header("accept"));
        if (!view) {
            return refuse({406, "NotAcceptable",
                           "only the following media types are accepted: application/json", nullptr, 0});
        }
        call.view = *view;
        if (auto reply = serve_fixed(call)) return exchange->reply(std::move(*reply));
        const auto subject = subject_of(registry, call.target);
        if (!subject && !is_known_group(call.target))
            return exchange->reply({404, "text/plain; charset=utf-8", {}, "404 page not found\n"});
        if (!subject) return refuse(no_such_path().value());
        call.subject = *subject;
        count(call);
        if (is_watch(call)) {
            if (auto started = start_watch(call, exchange); !started) refuse(started.error());
            return;
        }
        auto reply = serve(call);
        if (!reply) return refuse(reply.error());
        exchange->reply(std::move(*reply));
    }

    void end_watches(bool forget_history) {
        if (forget_history) {
            for (const ResourceType* type : registry.types()) store.compact(*type);
        }
        const auto ended = std::move(watches);
        watches.clear();
        for (const auto& watch : ended) watch->end();
    }

    Registry registry;
    Store store;
    Verbs verbs;
    std::vector<std::unique_ptr<Watch>> watches;
    std::map<std::string, std::uint64_t> request_counts;

  private:
    static bool is_watch(const Call& call) {
        return call.request.method == "GET" && call.subject.name.empty() && call.target.flag("watch");
    }

    bool is_known_group(const Target& target) const {
        const auto& parts = target.segments;
        if (parts[0] != "api" && (parts[0] != "apis" || parts.size() < 3)) return false;
        return parts[0] == "api" ||
               std::any_of(registry.types().begin(), registry.types().end(), [&](const ResourceType* type) {
                   return !type->is_custom && type->group == parts[1];
               });
    }

    void count(const Call& call) {
        const Subject& subject = call.subject;
        const bool is_list = call.request.method == "GET" && subject.name.empty();
        ++request_counts[fmt::format("{} {}{}{}",
                                     is_watch(call) ? "WATCH"
                                     : is_list      ? "LIST"
                                                    : call.request.method,
                                     subject.type->resource_name(), subject.subresource.empty() ? "" : "/",
                                     subject.subresource)];
    }

    static Reply json_reply(int code, const Json& json) {
        return {code, "application/json", {}, to_text(json) + "\n"};
    }
    static Reply reply_of(const ApiError& error) {
        Reply reply = json_reply(error.code, status_of(error));
        if (error.retry_after_seconds > 0)
            reply.headers.emplace_back("Retry-After", std::to_string(error.retry_after_seconds));
        return reply;
    }
    Reply object_reply(const Call& call, int code, const ObjectPtr& object) {
        if (call.view == View::kTable)
            return json_reply(code, table_of(*call.subject.type, {&object->json}, loop_.now()));
        if (call.view == View::kMetadata) return json_reply(code, metadata_only(object->json));
        return {code, "application/json", {}, object->text() + "\n"};
    }

    // --- what does not depend on objects

    std::optional<Reply> serve_fixed(const Call& call) {
        const auto& parts = call.target.segments;
        if (parts.empty())
            return json_reply(200, {{"paths",
                                     {"/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3",
                                      "/readyz", "/version"}}});
        const auto or_missing = [](const std::optional<Json>& json) {
            return json ? json_reply(200, *json) : reply_of(no_such_path().value());
        };
        const std::string& first = parts[0];
        if (first == "healthz" || first == "livez" || first == "readyz")
            return Reply{200, "text/plain; charset=utf-8", {}, "ok"};
        if (first == "version") return json_reply(200, version_document());
        if (first == "api" && parts.size() == 1) return json_reply(200, core_versions_document());
        if (first == "api" && parts.size() == 2)
            return or_missing(resources_document(registry, "", parts[1]));
        if (first == "apis" && parts.size() == 1) return json_reply(200, groups_document(registry));
        if (first == "apis" && parts.size() == 2) return or_missing(group_document(registry, parts[1]));
        if (first == "apis" && parts.size() == 3)
            return or_missing(resources_document(registry, parts[1], parts[2]));
        if (first != "openapi" || parts.size() < 2) return std::nullopt;
        if (parts[1] == "v2") return json_reply(200, open_api_v2_document(registry));
        if (parts[1] == "v3" && parts.size() == 2) return json_reply(200, open_api_index(registry));
        if (parts[1] == "v3" && parts.size() == 4)
            return or_missing(open_api_document(registry, "", parts[3]));
        if (parts[1] == "v3" && parts.size() == 5)
            return or_missing(open_api_document(registry, parts[3], parts[4]));
        return std::nullopt;
    }

    // --- requests about objects

    Answer<Reply> serve(const Call& call) {
        const std::string& method = call.request.method;
        const Subject& subject = call.subject;
        if (!subject.subresource.empty()) return serve_subresource(call);
        if (subject.name.empty()) {
            if (method == "GET") return list(call);
            if (method == "POST") return create(call);
            if (method == "DELETE") return remove_all(call);
            return method_not_allowed();
        }
        if (method == "GET") {
            TRY_ANSWER(const ObjectPtr object, verbs.get(*subject.type, subject.ns, subject.name));
            return object_reply(call, 200, object);
        }
        if (method == "PUT" || method == "PATCH") return write(call, "");
        if (method == "DELETE") return remove(call);
        return method_not_allowed();
    }

    Answer<Reply> serve_subresource(const Call& call) {
        const Subject& subject = call.subject;
        const std::string& method = call.request.method;
        const std::string& name = subject.subresource;
        const bool is_pod = subject.type->plural == "pods" && subject.type->group.empty();
        if (name == "status" && subject.type->has_status) {
            if (method == "GET") {
                TRY_ANSWER(const ObjectPtr object, verbs.get(*subject.type, subject.ns, subject.name));
                return object_reply(call, 200, object);
            }
            if (method == "PUT" || method == "PATCH") return write(call, "status");
            return method_not_allowed();
        }
        if (name == "scale" && subject.type->scale) return serve_scale(call);
        if (is_pod && (name == "binding" || name == "eviction")) {
            if (method != "POST") return method_not_allowed();
            TRY_ANSWER(const Json body, parse_body(call.request));
            TRY_REFUSAL(name == "binding" ? verbs.bind(subject.ns, subject.name, body)
                                          : verbs.evict(subject.ns, subject.name, body));
            Json status = success_status(nullptr, nullptr);
            status["code"] = 201;
            return json_reply(201, status);
        }
        if (is_pod && name == "log") {
            TRY_REFUSAL(verbs.get(*subject.type, subject.ns, subject.name));
            return Reply{200, "text/plain", {}, ""};
        }
        if (name == "finalize" && subject.type->plural == "namespaces" && method == "PUT") {
            TRY_ANSWER(const Json body, parse_body(call.request));
            TRY_ANSWER(const ObjectPtr object, verbs.finalize_namespace(subject.name, body));
            return object_reply(call, 200, object);
        }
        return no_such_path();
    }

    Answer<Reply> serve_scale(const Call& call) {
        const Subject& subject = call.subject;
        TRY_ANSWER(Json scale, verbs.get_scale(*subject.type, subject.ns, subject.name));
        if (call.request.method == "GET") return json_reply(200, scale);
        TRY_ANSWER(Json body, parse_body(call.request));
        if (call.request.method == "PATCH") {
            TRY_ANSWER(const PatchKind kind, patch_kind(call.request.header("content-type"), false));
            if (kind == PatchKind::kJson) {
                TRY_ANSWER(scale, apply_json_patch(std::move(scale), body));
            } else {
                apply_merge_patch(scale, body);
            }
        } else if (call.request.method == "PUT") {
            scale = std::move(body);
        } else {
            return method_not_allowed();
        }
        WriteOptions write_options;
        write_options.is_dry_run = !call.target.parameter("dryRun").empty();
        TRY_ANSWER(const Json result,
                   verbs.put_scale(*subject.type, subject.ns, subject.name, scale, write_options));
        return json_reply(200, result);
    }

    // The warnings go into `unknown`, which the caller keeps until the reply is made.
    static WriteOptions write_options(const Call& call, std::vector<std::string>& unknown) {
        const std::string_view validation = call.target.parameter("fieldValidation");
        WriteOptions options;
        options.is_dry_run = !call.target.parameter("dryRun").empty();
        options.is_strict = validation == "Strict";
        if (validation != "Ignore") options.unknown = &unknown;
        return options;
    }
    static void add_warnings(Reply& reply, const std::vector<std::string>& unknown) {
        for (const std::string& field : unknown) {
            reply.headers.emplace_back("Warning", fmt::format("299 - \"unknown field \\\"{}\\\"\"", field));
        }
    }

    Answer<Reply> create(const Call& call) {
        TRY_ANSWER(Json body, parse_body(call.request));
        std::string ns = call.subject.ns;
        if (call.subject.type->is_namespaced && ns.empty()) return method_not_allowed();
        std::vector<std::string> unknown;
        const WriteOptions write = write_options(call, unknown);
        TRY_ANSWER(const ObjectPtr object, verbs.create(*call.subject.type, ns, std::move(body), write));
        Reply reply = object_reply(call, 201, object);
        add_warnings(reply, unknown);
        return reply;
    }

    Answer<Reply> write(const Call& call, std::string_view subresource) {
        const Subject& subject = call.subject;
        TRY_ANSWER(Json body, parse_body(call.request));
        std::vector<std::string> unknown;
        const WriteOptions write = write_options(call, unknown);
        bool was_created = false;
        ObjectPtr object;
        if (call.request.method == "PUT") {
            TRY_ANSWER(object, verbs.update(*subject.type, subject.ns, subject.name, subresource,
                                            std::move(body), write, &was_created));
        } else {
            TRY_ANSWER(const PatchKind kind,
                       patch_kind(call.request.header("content-type"), subject.type->is_custom));
            if (kind == PatchKind::kApply && call.target.parameter("fieldManager").empty()) {
                return invalid_patch_options();
            }
            TRY_ANSWER(object, verbs.patch(*subject.type, subject.ns, subject.name, subresource, kind, body,
                                           write, &was_created));
        }
        Reply reply = object_reply(call, was_created ? 201 : 200, object);
        add_warnings(reply, unknown);
        return reply;
    }

    static Refusal invalid_patch_options() {
        ResourceType options;
        options.group = "meta.k8s.io";
        options.kind = "PatchOptions";
        return invalid_object(options, "", {required_value("fieldManager", "is required for apply patch")});
    }

    Answer<Reply> remove(const Call& call) {
        const Subject& subject = call.subject;
        TRY_ANSWER(const DeleteOptions options, delete_options(call));
        TRY_ANSWER(const Deletion deletion, verbs.remove(*subject.type, subject.ns, subject.name, options));
        if (!deletion.is_gone || subject.type->returns_deleted_object)
            return object_reply(call, 200, deletion.object);
        return json_reply(200, success_status(&deletion.object->json, subject.type));
    }

    Answer<Reply> remove_all(const Call& call) {
        TRY_ANSWER(const DeleteOptions options, delete_options(call));
        TRY_ANSWER(const Selector selector, selector_of(call));
        TRY_ANSWER(const auto removed,
                   verbs.remove_all(*call.subject.type, call.subject.ns, selector, options));
        return list_reply(call, removed, store.version(), {}, 0);
    }

    // --- lists

    static Answer<Selector> selector_of(const Call& call) {
        return parse_selector(*call.subject.type, call.target.parameter("labelSelector"),
                              call.target.parameter("fieldSelector"));
    }

    Answer<Reply> list(const Call& call) {
        const ResourceType& type = *call.subject.type;
        TRY_ANSWER(const Selector selector, selector_of(call));
        const std::string_view version_text = call.target.parameter("resourceVersion");
        const std::string_view match = call.target.parameter("resourceVersionMatch");
        std::size_t limit =
            static_cast<std::size_t>(parse_version(call.target.parameter("limit")).value_or(0));
        if (version_text == "0" && match != "Exact") limit = 0;  // As served from a real server's cache.

        Version at = store.version();
        std::string after;
        std::optional<std::vector<ObjectPtr>> objects;
        if (const std::string_view token = call.target.parameter("continue"); !token.empty()) {
            const auto text = base64_decode(token);
            const auto json = text ? parse_json(*text) : std::nullopt;
            if (!json || !json->is_object())
                return bad_request("continue key is not valid: a token of this server is wanted");
            at = static_cast<Version>(int_at(*json, {"rv"}));
            after = text_at(*json, {"start"});
            objects = store.list_at(type, call.subject.ns, at);
            if (!objects) {
                return expired(
                    "The provided continue parameter is too old to display a consistent list result. You can "
                    "start a new list "
                    "without the continue parameter.");
            }
        } else if (!version_text.empty() && version_text != "0") {
            const auto version = parse_version(version_text);
            if (!version) return bad_version(version_text);
            if (*version > at) return too_large_version(*version, at);
            if (match == "Exact") {
                objects = store.list_at(type, call.subject.ns, *version);
                at = *version;
                if (!objects) return expired("The resourceVersion for the provided list is too old.");
            }
        }
        if (!objects) objects = store.list(type, call.subject.ns);
        return list_page(call, *objects, selector, at, after, limit);
    }

    Answer<Reply> list_page(const Call& call, const std::vector<ObjectPtr>& objects, const Selector& selector,
                            Version at, const std::string& after, std::size_t limit) {
        std::vector<ObjectPtr> page;
        std::size_t remaining = 0;
        std::string last;
        const bool takes_all = selector.selects_all();
        for (const ObjectPtr& object : objects) {
            const std::string key =
                limit > 0 || !after.empty() ? namespace_of(object->json) + "/" + name_of(object->json) : "";
            if (!after.empty() && key <= after) continue;
            if (!takes_all && !matches(selector, object->json)) continue;
            if (limit > 0 && page.size() == limit) {
                ++remaining;
                continue;
            }
            page.push_back(object);
            last = key;
        }
        std::string token;
        if (remaining > 0)
            token = base64_encode(to_text({{"v", "meta.k8s.io/v1"}, {"rv", at}, {"start", last}}));
        return list_reply(call, page, at, token, takes_all ? remaining : 0);
    }

    Reply list_reply(const Call& call, const std::vector<ObjectPtr>& objects, Version version,
                     const std::string& token, std::size_t remaining) {
        const ResourceType& type = *call.subject.type;
        Json metadata = {{"resourceVersion", std::to_string(version)}};
        if (!token.empty()) metadata["continue"] = token;
        if (remaining > 0) metadata["remainingItemCount"] = remaining;
        if (call.view == View::kTable) {
            std::vector<const Json*> rows;
            for (const ObjectPtr& object : objects) rows.push_back(&object->json);
            Json table = table_of(type, rows, loop_.now());
            table["metadata"] = std::move(metadata);
            return json_reply(200, table);
        }
        const bool is_partial = call.view == View::kMetadata;
        std::string body = fmt::format("{{\"kind\":\"{}\",\"apiVersion\":\"{}\",\"metadata\":{},\"items\":[",
                                       is_partial ? "PartialObjectMetadataList" : type.list_kind,
                                       is_partial ? "meta.k8s.io/v1" : type.api_version(), to_text(metadata));
        for (const ObjectPtr& object : objects) {
            if (body.back() != '[') body += ',';
            body += is_partial ? to_text(metadata_only(object->json)) : object->text();
        }
        body += "]}\n";
        return {200, "application/json", {}, std::move(body)};
    }

    // --- watches

    Answer<void> start_watch(const Call& call, const std::shared_ptr<Exchange>& exchange) {
        const Target& target = call.target;
        WatchOptions watch;
        watch.type = call.subject.type;
        watch.ns = call.subject.ns;
        TRY_ANSWER(watch.selector, selector_of(call));
        watch.view = call.view;
        watch.allows_bookmarks = target.flag("allowWatchBookmarks");
        watch.bookmark_interval = options_.bookmark_interval;
        const auto seconds = parse_version(target.parameter("timeoutSeconds"));
        watch.timeout =
            seconds && *seconds > 0 ? Duration(std::chrono::seconds{*seconds}) : options_.watch_limit;

        const std::string_view version_text = target.parameter("resourceVersion");
        const std::string_view match = target.parameter("resourceVersionMatch");
        const bool is_any = version_text.empty() || version_text == "0";
        const auto version = is_any ? std::optional<Version>(0) : parse_version(version_text);
        if (!version) {
            Refusal refusal = bad_version(version_text);
            return Refusal(ApiError{500, "", refusal.value().message, nullptr, 0});
        }
        if (target.query.contains("sendInitialEvents")) {
            if (match != "NotOlderThan") {
                return invalid_list_options(forbidden_value(
                    "resourceVersionMatch",
                    "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
            }
            watch.sends_initial_events = target.flag("sendInitialEvents");
            watch.marks_initial_end = watch.sends_initial_events && watch.allows_bookmarks;
        } else if (!match.empty()) {
            return invalid_list_options(forbidden_value(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
        } else {
            watch.sends_initial_events = is_any;
        }
        if (*version > store.version()) return too_large_version(*version, store.version());
        if (!watch.sends_initial_events && !is_any) watch.from = *version;

        std::erase_if(watches, [](const auto& each) { return each->is_over(); });
        watches.push_back(std::make_unique<Watch>(loop_, store, std::move(watch), exchange));
        return {};
    }

    static Refusal invalid_list_options(FieldProblem problem) {
        ResourceType options;
        options.group = "meta.k8s.io";
        options.kind = "ListOptions";
        return invalid_object(options, "", {std::move(problem)});
    }
};

ApiServer::ApiServer(io::Loop& loop, ApiServerOptions options)
    : impl_(std::make_unique<Impl>(loop, options)) {}
ApiServer::~ApiServer() = default;

void ApiServer::handle(const Request& request, std::shared_ptr<Exchange> exchange) {
    impl_->handle(request, exchange);
}
Verbs& ApiServer::verbs() {
    return impl_->verbs;
}
const Store& ApiServer::store() const {
    return impl_->store;
}
const Registry& ApiServer::registry() const {
    return impl_->registry;
}
void ApiServer::end_watches(bool forget_history) {
    impl_->end_watches(forget_history);
}
const std::map<std::string, std::uint64_t>& ApiServer::request_counts() const {
    return impl_->request_counts;
}
std::size_t ApiServer::open_watches() const {
    return static_cast<std::size_t>(std::count_if(impl_->watches.begin(), impl_->watches.end(),
                                                  [](const auto& each) { return !each->is_over(); }));
}

}  // namespace joiner::sim
