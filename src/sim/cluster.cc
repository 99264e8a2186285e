#include "sim/cluster.h"

#include <fmt/format.h>

#include <utility>

#include "api/manifest.h"
#include "base/check.h"
#include "embedded_crds.h"
#include "sim/controllers.h"
#include "sim/in_process_http.h"
#include "sim/kubelet.h"
#include "sim/scheduler.h"

namespace joiner::sim {
namespace {

Error to_error(const ApiError& refused) {
    Error error;
    error.message = refused.message;
    error.kind = refused.code == 404   ? ErrorKind::kNotFound
                 : refused.code == 409 ? ErrorKind::kConflict
                 : refused.code == 429 ? ErrorKind::kUnavailable
                                       : ErrorKind::kInvalid;
    return error;
}

}  // namespace

class Cluster::Impl {
  public:
    Impl(io::Loop* given, ClusterOptions options)
        : own_loop(given ? nullptr : std::make_unique<VirtualLoop>()),
          loop(given ? *given : *own_loop),
          server(loop, options.api),
          world(server.verbs(), options.world),
          faults(options.faults),
          http(loop, server, {.latency = options.latency, .faults = &faults}) {
        if (options.with_custom_resources) {
            for (const auto& file : embedded::crds()) CHECK(apply(file.text));
        }
        if (options.with_kubelets) kubelet = std::make_unique<Kubelet>(world, options.kubelet);
        if (options.with_scheduler) scheduler = std::make_unique<Scheduler>(world, options.scheduler);
        if (options.with_controllers) start_controllers();
    }

    Status apply(std::string_view manifest) {
        TRY(const auto documents, api::split_manifest(manifest, "manifest"));
        for (const api::Document& document : documents) {
            const ResourceType* type =
                server.verbs().registry().find_kind(document.api_version, document.kind);
            if (!type)
                return invalid(fmt::format("{}: no kind {} in {}", document.source, document.kind,
                                           document.api_version));
            auto object = parse_json(document.json);
            CHECK(object.has_value());
            std::string ns = namespace_of(*object);
            if (type->is_namespaced && ns.empty()) ns = "default";
            const auto applied =
                server.verbs().patch(*type, ns, name_of(*object), "", PatchKind::kApply, *object);
            if (!applied) return tl::unexpected<Error>(to_error(applied.error()));
        }
        return {};
    }

    void start_controllers() {
        controllers.push_back(make_deployment_controller(world));
        controllers.push_back(make_replica_set_controller(world));
        controllers.push_back(make_stateful_set_controller(world));
        controllers.push_back(make_daemon_set_controller(world));
        controllers.push_back(make_job_controller(world));
        controllers.push_back(make_disruption_controller(world));
        controllers.push_back(make_garbage_collector(world));
        controllers.push_back(make_pod_garbage_collector(world));
        controllers.push_back(make_namespace_controller(world));
        controllers.push_back(make_taint_eviction(world));
        controllers.push_back(make_node_lifecycle(
            world, [this](const std::string& node) { return kubelet && kubelet->is_stopped(node); }));
        controllers.push_back(make_volume_controller(world));
    }

    const ResourceType* find(std::string_view kind) const { return server.registry().find_word(kind); }

    std::unique_ptr<VirtualLoop> own_loop;
    io::Loop& loop;
    ApiServer server;
    World world;
    Faults faults;
    InProcessHttp http;
    std::unique_ptr<Kubelet> kubelet;
    std::unique_ptr<Scheduler> scheduler;
    std::vector<ControllerPtr> controllers;
};

Cluster::Cluster(ClusterOptions options) : impl_(std::make_unique<Impl>(nullptr, std::move(options))) {}
Cluster::Cluster(io::Loop& loop, ClusterOptions options)
    : impl_(std::make_unique<Impl>(&loop, std::move(options))) {}
Cluster::~Cluster() = default;

io::Loop& Cluster::loop() {
    return impl_->loop;
}
VirtualLoop& Cluster::time() {
    CHECK(impl_->own_loop != nullptr);
    return *impl_->own_loop;
}
ApiServer& Cluster::api() {
    return impl_->server;
}
io::HttpClient& Cluster::http() {
    return impl_->http;
}
Faults& Cluster::faults() {
    return impl_->faults;
}
void Cluster::set_path_dead(bool is_dead) {
    impl_->http.set_path_dead(is_dead);
}

kube::Config Cluster::config() const {
    kube::Config config;
    auto endpoint = std::make_shared<io::Endpoint>();
    endpoint->base_url = "http://in-process";
    config.endpoint = std::move(endpoint);
    return config;
}

Kubelet& Cluster::kubelet() {
    CHECK(impl_->kubelet != nullptr);
    return *impl_->kubelet;
}
Scheduler& Cluster::scheduler() {
    CHECK(impl_->scheduler != nullptr);
    return *impl_->scheduler;
}

Status Cluster::apply(std::string_view manifest) {
    return impl_->apply(manifest);
}

Status Cluster::remove(std::string_view kind, std::string_view ns, std::string_view name) {
    const ResourceType* type = impl_->find(kind);
    if (!type) return invalid(fmt::format("no kind {}", kind));
    const auto removed = impl_->server.verbs().remove(*type, ns, name);
    if (!removed) return tl::unexpected<Error>(to_error(removed.error()));
    return {};
}

Status Cluster::scale(std::string_view kind, std::string_view ns, std::string_view name, int replicas) {
    return patch(kind, ns, name, fmt::format(R"({{"spec":{{"replicas":{}}}}})", replicas));
}

Status Cluster::patch(std::string_view kind, std::string_view ns, std::string_view name,
                      std::string_view patch, std::string_view subresource) {
    const ResourceType* type = impl_->find(kind);
    if (!type) return invalid(fmt::format("no kind {}", kind));
    const auto json = parse_json(patch);
    if (!json) return invalid("the patch is not JSON");
    const auto patched = impl_->server.verbs().patch(*type, ns, name, subresource, PatchKind::kMerge, *json);
    if (!patched) return tl::unexpected<Error>(to_error(patched.error()));
    return {};
}

std::optional<std::string> Cluster::get(std::string_view kind, std::string_view ns,
                                        std::string_view name) const {
    const ResourceType* type = impl_->find(kind);
    const ObjectPtr object = type ? impl_->server.store().get(*type, ns, name) : nullptr;
    if (!object) return std::nullopt;
    return object->text();
}

std::vector<std::string> Cluster::list(std::string_view kind, std::string_view ns) const {
    std::vector<std::string> texts;
    const ResourceType* type = impl_->find(kind);
    if (!type) return texts;
    for (const ObjectPtr& object : impl_->server.store().list(*type, ns)) texts.push_back(object->text());
    return texts;
}

std::size_t Cluster::count(std::string_view kind, std::string_view ns) const {
    const ResourceType* type = impl_->find(kind);
    if (!type) return 0;
    return ns.empty() ? impl_->server.store().count(*type) : impl_->server.store().list(*type, ns).size();
}

std::map<std::string, std::size_t> Cluster::pods_by_phase() const {
    std::map<std::string, std::size_t> phases;
    for (const ObjectPtr& pod : impl_->server.store().list(*impl_->find("pods")))
        ++phases[text_at(pod->json, {"status", "phase"})];
    return phases;
}

std::size_t Cluster::bound_pods() const {
    std::size_t bound = 0;
    for (const ObjectPtr& pod : impl_->server.store().list(*impl_->find("pods")))
        bound += text_at(pod->json, {"spec", "nodeName"}).empty() ? 0 : 1;
    return bound;
}

std::map<std::string, std::size_t> Cluster::event_reasons() const {
    std::map<std::string, std::size_t> reasons;
    for (const ObjectPtr& event : impl_->server.store().list(*impl_->find("events"))) {
        reasons[text_at(event->json, {"reason"})] +=
            static_cast<std::size_t>(int_at(event->json, {"count"}, 1));
    }
    return reasons;
}

void Cluster::stop_node(const std::string& node) {
    kubelet().stop_node(node);
}
void Cluster::start_node(const std::string& node) {
    kubelet().start_node(node);
}

}  // namespace joiner::sim
