#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/quantity.h"

namespace joiner::sim {
namespace {

const PodIndex::Pods kNoPods;

}  // namespace

// --- PodIndex

PodIndex::PodIndex(Verbs& verbs) : verbs_(verbs) {
    const ResourceType& pods = verbs.type("pods");
    for (const ObjectPtr& pod : verbs.store().list(pods)) add(pod);
    listener_ = verbs.listen(pods, [this](const EventPtr& event) { on_event(event); });
}
PodIndex::~PodIndex() {
    verbs_.forget(verbs_.type("pods"), listener_);
}

void PodIndex::on_event(const EventPtr& event) {
    if (event->previous) remove(event->previous);
    if (event->type != EventType::kDeleted) add(event->object);
}

void PodIndex::add(const ObjectPtr& pod) {
    const std::string key = key_of(pod->json);
    if (const std::string& node = text_at(pod->json, {"spec", "nodeName"}); !node.empty())
        by_node_[node][key] = pod;
    if (const Json* owner = controller_of(pod->json)) by_owner_[text_at(*owner, {"uid"})][key] = pod;
}

void PodIndex::remove(const ObjectPtr& pod) {
    const auto drop_from = [&](std::map<std::string, Pods>& index, const std::string& group) {
        const auto found = index.find(group);
        if (found == index.end()) return;
        found->second.erase(key_of(pod->json));
        if (found->second.empty()) index.erase(found);
    };
    if (const std::string& node = text_at(pod->json, {"spec", "nodeName"}); !node.empty())
        drop_from(by_node_, node);
    if (const Json* owner = controller_of(pod->json)) drop_from(by_owner_, text_at(*owner, {"uid"}));
}

const PodIndex::Pods& PodIndex::on_node(const std::string& node) const {
    const auto found = by_node_.find(node);
    return found == by_node_.end() ? kNoPods : found->second;
}
const PodIndex::Pods& PodIndex::owned_by(const std::string& uid) const {
    const auto found = by_owner_.find(uid);
    return found == by_owner_.end() ? kNoPods : found->second;
}

// --- EventLog

void EventLog::record(const Json& about, bool is_warning, std::string_view reason, const std::string& message,
                      std::string_view component) {
    if (!is_enabled_) return;
    const ResourceType& events = verbs_.type("events");
    const std::string ns = namespace_of(about).empty() ? "default" : namespace_of(about);
    const std::string now = format_rfc3339(verbs_.loop().now());
    const std::string what = fmt::format("{}/{}/{}/{}", uid_of(about), reason, message, component);
    const auto known = names_.find(what);
    if (known != names_.end()) {
        if (const ObjectPtr event = verbs_.store().get(events, ns, known->second)) {
            const std::int64_t count = int_at(event->json, {"count"}, 1) + 1;
            (void)verbs_.patch(events, ns, known->second, "", PatchKind::kMerge,
                               {{"count", count}, {"lastTimestamp", now}});
            return;
        }
    }
    Json event = {{"metadata",
                   {{"name", fmt::format("{}.{:x}", name_of(about), verbs_.store().next_version())},
                    {"namespace", ns}}},
                  {"involvedObject",
                   {{"apiVersion", text_at(about, {"apiVersion"})},
                    {"kind", text_at(about, {"kind"})},
                    {"name", name_of(about)},
                    {"uid", uid_of(about)},
                    {"resourceVersion", text_at(about, {"metadata", "resourceVersion"})}}},
                  {"type", is_warning ? "Warning" : "Normal"},
                  {"reason", reason},
                  {"message", message},
                  {"source", {{"component", component}}},
                  {"reportingComponent", component},
                  {"reportingInstance", ""},
                  {"firstTimestamp", now},
                  {"lastTimestamp", now},
                  {"count", 1}};
    if (!namespace_of(about).empty()) event["involvedObject"]["namespace"] = namespace_of(about);
    if (const auto made = verbs_.create(events, ns, std::move(event))) {
        if (names_.size() > 10'000) names_.clear();
        names_[what] = name_of((*made)->json);
    }
}

// --- Informer and WorkQueue

Informer::Informer(Verbs& verbs, const ResourceType& type, Handler handler)
    : verbs_(verbs), type_(type), handler_(std::move(handler)) {
    for (const ObjectPtr& object : verbs.store().list(type)) {
        auto event = std::make_shared<Event>();
        event->object = object;
        pending_.push_back(std::move(event));
    }
    if (!pending_.empty()) post();
    listener_ = verbs.listen(type, [this](const EventPtr& event) {
        pending_.push_back(event);
        post();
    });
}

Informer::~Informer() {
    *is_alive_ = false;
    verbs_.forget(type_, listener_);
}

void Informer::post() {
    if (std::exchange(is_posted_, true)) return;
    verbs_.loop().post([this, alive = is_alive_] {
        if (!*alive) return;
        is_posted_ = false;
        std::deque<EventPtr> events;
        events.swap(pending_);
        for (const EventPtr& event : events) handler_(event->type, event->object, event->previous);
    });
}

void WorkQueue::add(const std::string& key) {
    keys_.insert(key);
    if (std::exchange(is_posted_, true)) return;
    loop_.post([this, alive = is_alive_] {
        if (*alive) run();
    });
}

void WorkQueue::add_after(const std::string& key, Duration delay) {
    loop_.after(delay, [this, key, alive = is_alive_] {
        if (*alive) add(key);
    });
}

void WorkQueue::run() {
    is_posted_ = false;
    std::set<std::string> keys;
    keys.swap(keys_);
    for (const std::string& key : keys) work_(key);
}

// --- small things

std::string key_of(const Json& object) {
    return namespace_of(object) + "/" + name_of(object);
}

std::pair<std::string, std::string> split_key(std::string_view key) {
    const std::size_t slash = key.find('/');
    return {std::string(key.substr(0, slash)), std::string(key.substr(slash + 1))};
}

bool is_pod_finished(const Json& pod) {
    const std::string& phase = text_at(pod, {"status", "phase"});
    return phase == "Succeeded" || phase == "Failed";
}
bool is_pod_active(const Json& pod) {
    return !is_pod_finished(pod) && !is_deleting(pod);
}
bool is_pod_ready(const Json& pod) {
    return is_condition_true(pod, "Ready");
}

Json owner_reference(const Json& owner) {
    return {{"apiVersion", text_at(owner, {"apiVersion"})},
            {"kind", text_at(owner, {"kind"})},
            {"name", name_of(owner)},
            {"uid", uid_of(owner)},
            {"controller", true},
            {"blockOwnerDeletion", true}};
}

Json pod_from_template(const Json& owner) {
    Json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", Json::object()}};
    for (const char* field : {"labels", "annotations", "finalizers"}) {
        if (const Json* value = find(owner, {"spec", "template", "metadata", field}))
            pod["metadata"][field] = *value;
    }
    pod["spec"] = object_at(owner, {"spec", "template", "spec"});
    pod["metadata"]["ownerReferences"] = Json::array({owner_reference(owner)});
    pod["metadata"]["namespace"] = namespace_of(owner);
    return pod;
}

void put_status(World& world, const ResourceType& type, const Json& object, Json status) {
    const auto before = object.find("status");
    if (before != object.end() && *before == status) return;
    Json updated = object;
    updated["status"] = std::move(status);
    drop(updated, {"metadata", "resourceVersion"});
    (void)world.verbs.update(type, namespace_of(object), name_of(object), "status", std::move(updated));
}

std::int64_t scaled_value(const Json& value, std::int64_t total, bool rounds_up) {
    if (value.is_number()) return value.get<std::int64_t>();
    if (!value.is_string()) return 0;
    const std::int64_t percent = std::atoll(value.get_ref<const std::string&>().c_str());
    return (total * percent + (rounds_up ? 99 : 0)) / 100;
}

std::string safe_hash(const std::string& text) {
    static constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
    std::uint64_t hash = fnv1a(text);
    std::string result;
    for (int i = 0; i < 10; ++i, hash /= kLetters.size()) result += kLetters[hash % kLetters.size()];
    return result;
}

void set_condition(Json& conditions, Json condition, const std::string& now) {
    if (!conditions.is_array()) conditions = Json::array();
    const auto same = std::find_if(conditions.begin(), conditions.end(), [&](const Json& each) {
        return text_at(each, {"type"}) == text_at(condition, {"type"});
    });
    const bool is_new = same == conditions.end();
    const bool is_transition = is_new || text_at(*same, {"status"}) != text_at(condition, {"status"});
    condition["lastTransitionTime"] =
        is_transition ? Json(now) : same->value("lastTransitionTime", Json(now));
    if (is_new) {
        conditions.push_back(std::move(condition));
    } else {
        *same = std::move(condition);
    }
}

}  // namespace joiner::sim
