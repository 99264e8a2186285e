#include <algorithm>

#include "sim/controllers.h"

namespace joiner::sim {
namespace {

class JobController final : public Controller {
  public:
    explicit JobController(World& world)
        : world_(world),
          jobs_type_(world.verbs.type("jobs")),
          pods_type_(world.verbs.type("pods")),
          queue_(world.loop(), [this](const std::string& key) { reconcile(key); }),
          jobs_(world.verbs, jobs_type_,
                [this](EventType, const ObjectPtr& job, const ObjectPtr&) { queue_.add(key_of(job->json)); }),
          pods_(world.verbs, pods_type_, [this](EventType, const ObjectPtr& pod, const ObjectPtr&) {
              const Json* owner = controller_of(pod->json);
              if (owner && text_at(*owner, {"kind"}) == "Job")
                  queue_.add(namespace_of(pod->json) + "/" + text_at(*owner, {"name"}));
          }) {}

  private:
    void reconcile(const std::string& key) {
        const auto [ns, name] = split_key(key);
        const ObjectPtr job = world_.store().get(jobs_type_, ns, name);
        if (!job || is_deleting(job->json) || is_condition_true(job->json, "Complete") ||
            is_condition_true(job->json, "Failed"))
            return;
        std::int64_t active = 0, ready = 0, succeeded = 0, failed = 0;
        for (const auto& [pod_key, pod] : world_.pods.owned_by(uid_of(job->json))) {
            const std::string& phase = text_at(pod->json, {"status", "phase"});
            if (phase == "Succeeded") ++succeeded;
            if (phase == "Failed") ++failed;
            if (is_pod_active(pod->json)) ++active;
            if (is_pod_active(pod->json) && is_pod_ready(pod->json)) ++ready;
        }
        const Json* completions = find(job->json, {"spec", "completions"});
        const std::int64_t wanted =
            completions ? completions->get<std::int64_t>() : std::max<std::int64_t>(1, succeeded);
        const bool is_complete = succeeded >= wanted && (completions || (active == 0 && succeeded > 0));
        const bool is_failed = failed > int_at(job->json, {"spec", "backoffLimit"}, 6);
        const bool is_suspended = flag_at(job->json, {"spec", "suspend"});
        if (!is_complete && !is_failed && !is_suspended) {
            const std::int64_t parallel = int_at(job->json, {"spec", "parallelism"}, 1);
            const std::int64_t missing = completions ? std::min(parallel, wanted - succeeded) - active
                                                     : (succeeded > 0 ? 0 : parallel - active);
            for (std::int64_t i = 0; i < missing; ++i) create(job->json), ++active;
        }
        Json status = object_at(job->json, {"status"});
        if (!is_suspended) set_default(status, "startTime", world_.now_text());
        status["active"] = active;
        status["ready"] = ready;
        status["succeeded"] = succeeded;
        status["failed"] = failed;
        if (is_complete || is_failed) {
            set_condition(status["conditions"],
                          {{"type", is_complete ? "Complete" : "Failed"},
                           {"status", "True"},
                           {"reason", is_complete ? "CompletionsReached" : "BackoffLimitExceeded"}},
                          world_.now_text());
            if (is_complete) status["completionTime"] = world_.now_text();
        } else if (is_suspended) {
            set_condition(status["conditions"],
                          {{"type", "Suspended"}, {"status", "True"}, {"reason", "JobSuspended"}},
                          world_.now_text());
        }
        put_status(world_, jobs_type_, job->json, std::move(status));
    }

    void create(const Json& job) {
        Json pod = pod_from_template(job);
        pod["metadata"]["generateName"] = name_of(job) + "-";
        (void)world_.verbs.create(pods_type_, namespace_of(job), std::move(pod));
    }

    World& world_;
    const ResourceType& jobs_type_;
    const ResourceType& pods_type_;
    WorkQueue queue_;
    Informer jobs_;
    Informer pods_;
};

}  // namespace

ControllerPtr make_job_controller(World& world) {
    return std::make_unique<JobController>(world);
}

}  // namespace joiner::sim
