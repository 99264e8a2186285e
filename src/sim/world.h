// What the controllers of the pretend world share: the API, the pods they look at, and Events. Each
// controller is a small level-triggered loop: something changed, look again, do the next thing. Loop thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kube/token_bucket.h"
#include "sim/options.h"
#include "sim/verbs.h"

namespace joiner::sim {

// The pods by node and by owner, in step with the store at every moment.
class PodIndex {
  public:
    explicit PodIndex(Verbs& verbs);
    ~PodIndex();
    PodIndex(const PodIndex&) = delete;
    PodIndex& operator=(const PodIndex&) = delete;

    using Pods = std::map<std::string, ObjectPtr>;  // By "namespace/name".
    const Pods& on_node(const std::string& node) const;
    // Those whose controller has this uid.
    const Pods& owned_by(const std::string& uid) const;
    // Nodes that pods name, whether or not they exist.
    const std::map<std::string, Pods>& by_node() const { return by_node_; }

  private:
    void on_event(const EventPtr& event);
    void add(const ObjectPtr& pod);
    void remove(const ObjectPtr& pod);

    Verbs& verbs_;
    Store::ListenerId listener_;
    std::map<std::string, Pods> by_node_;
    std::map<std::string, Pods> by_owner_;
};

// Events about objects, counted up when they repeat. Nobody waits for them.
class EventLog {
  public:
    EventLog(Verbs& verbs, bool is_enabled) : verbs_(verbs), is_enabled_(is_enabled) {}
    void record(const Json& about, bool is_warning, std::string_view reason, const std::string& message,
                std::string_view component);

  private:
    Verbs& verbs_;
    bool is_enabled_;
    std::map<std::string, std::string> names_;  // Of the event, by what it says.
};

// Calls its owner back about each change of a kind, soon after it happened, in order, the state so far first.
class Informer {
  public:
    using Handler = std::function<void(EventType type, const ObjectPtr& object, const ObjectPtr& previous)>;
    Informer(Verbs& verbs, const ResourceType& type, Handler handler);
    ~Informer();
    Informer(const Informer&) = delete;
    Informer& operator=(const Informer&) = delete;

  private:
    void post();

    Verbs& verbs_;
    const ResourceType& type_;
    Handler handler_;
    Store::ListenerId listener_;
    std::deque<EventPtr> pending_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
    bool is_posted_ = false;
};

// Keys to look at, each once however often it was named meanwhile.
class WorkQueue {
  public:
    using Work = std::function<void(const std::string& key)>;
    WorkQueue(io::Loop& loop, Work work) : loop_(loop), work_(std::move(work)) {}
    ~WorkQueue() { *is_alive_ = false; }
    WorkQueue(const WorkQueue&) = delete;
    WorkQueue& operator=(const WorkQueue&) = delete;

    void add(const std::string& key);
    void add_after(const std::string& key, Duration delay);

  private:
    void run();

    io::Loop& loop_;
    Work work_;
    std::set<std::string> keys_;
    bool is_posted_ = false;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

struct World {
    World(Verbs& api, WorldOptions given)
        : verbs(api),
          options(given),
          pods(api),
          events(api, given.records_events),
          pod_creations(given.pods_created_per_second, static_cast<int>(given.pods_created_per_second) + 1) {}

    Verbs& verbs;
    const WorldOptions options;
    PodIndex pods;
    EventLog events;
    kube::TokenBucket pod_creations;

    const Store& store() const { return verbs.store(); }
    io::Loop& loop() const { return verbs.loop(); }
    std::string now_text() const { return format_rfc3339(verbs.loop().now()); }
};

class Controller {
  public:
    virtual ~Controller() = default;
};
using ControllerPtr = std::unique_ptr<Controller>;

// "namespace/name" and its parts.
std::string key_of(const Json& object);
std::pair<std::string, std::string> split_key(std::string_view key);

bool is_pod_finished(const Json& pod);  // Succeeded or Failed.
bool is_pod_active(const Json& pod);    // Neither finished nor on its way out.
bool is_pod_ready(const Json& pod);

// A pod made from an object's template, with the object as its controller.
Json pod_from_template(const Json& owner);
Json owner_reference(const Json& owner);
// Writes `status` unless it is what the object has.
void put_status(World& world, const ResourceType& type, const Json& object, Json status);
// "25%" or 1, of `total`.
std::int64_t scaled_value(const Json& int_or_percent, std::int64_t total, bool rounds_up);
// Eight or ten safe letters that stand for the text.
std::string safe_hash(const std::string& text);
// The conditions with this one set; its transition time moves only when the status does.
void set_condition(Json& conditions, Json condition, const std::string& now);

}  // namespace joiner::sim
