#include "cli/top/watching.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace joiner::cli::top {
namespace {

constexpr Duration kAskForUseEvery = std::chrono::seconds{15};
constexpr Duration kUseIsGoodFor = std::chrono::minutes{1};
constexpr Duration kLookEvery = std::chrono::seconds{1};

struct KindToWatch {
    model::Kind kind;
    kube::Resource resource;
    bool is_dispensable = true;  // One that may not be read, or is not installed, leaves the rest as it is.
};
const KindToWatch kToWatch[] = {
    {model::Kind::kNode, kube::kNodes, false},
    {model::Kind::kPod, kube::kPods, false},
    {model::Kind::kNodeClaim, kube::kNodeClaims},
    {model::Kind::kNodePool, kube::kNodePools},
    {model::Kind::kPodDisruptionBudget, kube::kPodDisruptionBudgets},
    {model::Kind::kPersistentVolumeClaim, kube::kPersistentVolumeClaims},
    {model::Kind::kPersistentVolume, kube::kPersistentVolumes},
    {model::Kind::kProvisioner, kube::kProvisioners},
};

}  // namespace

Watching::Watching(io::Loop& loop, kube::Client& client, model::Cluster& cluster, Rng rng)
    : loop_(loop), client_(client), cluster_(cluster) {
    // The next frame looks at all of it anyway.
    listener_.pod_changed = [](const model::PodState*, const model::PodState*) {};
    listener_.node_changed = [](const std::string&) {};
    listener_.claim_changed = [](const std::string&) {};
    listener_.volumes_changed = [](const std::string&) {};
    listener_.pools_changed = [] {};
    listener_.class_changed = [](const api::NodeClassReference&) {};
    listener_.headroom_changed = [] {};
    listener_.unreadable = [this](std::string_view what, const Error& error) {
        unreadable_ = fmt::format("{} cannot be read and is not shown: {}", what, error.message);
    };
    listener_.synced = [] {};
    for (const KindToWatch& each : kToWatch) {
        Watched& one = kinds_.emplace_back();
        one.kind = each.kind;
        one.feed = std::make_unique<control::Feed>(each.kind, cluster, listener_);
        kube::ReflectorOptions options;
        options.is_dispensable = each.is_dispensable;
        one.reflector = std::make_unique<kube::Reflector>(loop, client, each.resource, std::move(options),
                                                          Rng(rng.next()), *one.feed);
    }
}

Watching::~Watching() {
    for (const Watched& one : kinds_) one.reflector->stop();
}

void Watching::start() {
    for (const Watched& one : kinds_) one.reflector->start();
    ask_for_use();
    look_for_recovery();
}

// The API server answers again: broken watches need not wait for their next attempt.
void Watching::look_for_recovery() {
    const std::uint64_t recoveries = client_.counters().recoveries;
    if (recoveries != std::exchange(recoveries_seen_, recoveries)) {
        for (const Watched& one : kinds_) one.reflector->retry_soon();
    }
    loop_.after(kLookEvery, [this] { look_for_recovery(); });
}

void Watching::ask_for_use() {
    kube::Request request{"GET", std::string(kUsePath)};
    request.accept_gzip = true;
    client_.send(std::move(request), [this](Result<std::string> answer) {
        if (answer) {
            if (auto use = parse_use(*answer)) {
                use_ = std::move(*use);
                use_read_at_ = loop_.monotonic();
            }
        } else if (answer.error().kind == ErrorKind::kNotFound ||
                   answer.error().kind == ErrorKind::kForbidden) {
            use_read_at_.reset();
        }
        loop_.after(kAskForUseEvery, [this] { ask_for_use(); });
    });
}

const kube::Reflector& Watching::reflector_of(model::Kind kind) const {
    return *std::find_if(kinds_.begin(), kinds_.end(), [&](const Watched& one) {
                return one.kind == kind;
            })->reflector;
}

bool Watching::is_synced() const {
    return cluster_.is_synced(model::Kind::kNode) && cluster_.is_synced(model::Kind::kPod);
}

std::string Watching::problem() const {
    for (const model::Kind kind : {model::Kind::kNode, model::Kind::kPod}) {
        const kube::Reflector& its = reflector_of(kind);
        const std::optional<WallTime> since = its.broken_since();
        if (!since) continue;
        const auto seconds = static_cast<std::int64_t>(to_seconds(loop_.now() - *since));
        return fmt::format("{} not seen for {} s, trying again: {}",
                           kind == model::Kind::kNode ? "nodes" : "pods", seconds, its.problem());
    }
    if (!is_synced()) return {};
    if (!unreadable_.empty()) return unreadable_;
    const kube::Reflector& budgets = reflector_of(model::Kind::kPodDisruptionBudget);
    if (!cluster_.is_synced(model::Kind::kPodDisruptionBudget) && !budgets.problem().empty())
        return "PodDisruptionBudgets are not seen, nor what they keep: " + budgets.problem();
    return {};
}

const UseByNode* Watching::use() const {
    return use_read_at_ && loop_.monotonic() - *use_read_at_ < kUseIsGoodFor ? &use_ : nullptr;
}

}  // namespace joiner::cli::top
