// One controller, wired: watches feed the model, the model's changes are reconciled, plans are made and
// carried out. Runs on the loop it is given, real or virtual, over the HTTP client it is given. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/rng.h"
#include "base/time.h"
#include "control/options.h"
#include "control/page_options.h"
#include "control/provider_list.h"
#include "io/http.h"
#include "io/loop.h"
#include "kube/config.h"
#include "observe/decision_log.h"
#include "observe/metrics.h"

namespace joiner::model {
class Cluster;
}

namespace joiner::control {

class Moves;

class Controller {
  public:
    Controller(io::Loop& loop, io::HttpClient& http, kube::Config config, Options options,
               const std::vector<ProviderMaker>& providers, observe::Metrics& metrics, Rng rng);
    ~Controller();
    Controller(const Controller&) = delete;
    Controller& operator=(const Controller&) = delete;

    // `on_lost`: leadership is gone, and the process must end.
    void start(std::function<void()> on_lost);
    // Stops planning and acting, gives the lease back, then calls `done`.
    void stop(std::function<void()> done);

    // Serves the page, from start() until the controller is destroyed, and returns the port. Not served
    // otherwise. At most once.
    Result<int> serve_page(const PageOptions& options);

    // Any thread.
    bool is_ready() const;

    // For shows and tests; loop thread.
    const model::Cluster& cluster() const;
    const Moves& moves() const;
    const observe::DecisionLog& decisions() const;
    bool is_leader() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::control
