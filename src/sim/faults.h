// What goes wrong between a client and its API server, drawn from a seed so that it can be had again. Loop
// thread.
#pragma once

#include <cstdint>
#include <map>

#include "base/rng.h"
#include "base/time.h"

namespace joiner::sim {

struct FaultOptions {
    std::uint64_t seed = 1;
    // Chances, each in [0, 1].
    double lose_request = 0;  // It never arrives; the client sees its connection break.
    double lose_answer = 0;   // It is done, and the client does not learn of it.
    double delay = 0;         // The answer comes late, by up to max_delay.
    double throttle = 0;      // 429 with Retry-After 1.
    double server_error = 0;  // 500 or 503.
    double cut_watch = 0;     // A watch breaks within max_watch.
    double expire_watch = 0;  // A watch from a version is told 410 at once.
    Duration max_delay = std::chrono::seconds{5};
    Duration max_watch = std::chrono::seconds{30};
};

class Faults {
  public:
    explicit Faults(FaultOptions options) : options_(options), rng_(options.seed) {}

    enum class Kind {
        kNone,
        kLoseRequest,
        kLoseAnswer,
        kDelay,
        kThrottle,
        kInternalError,
        kUnavailable,
        kCutWatch,
        kExpireWatch
    };
    struct Decision {
        Kind kind = Kind::kNone;
        Duration delay{0};  // Of kDelay, and until kCutWatch strikes.
    };
    Decision decide(bool is_watch);

    // From now on other things go wrong; the seed goes on.
    void change(const FaultOptions& options) { options_ = options; }
    // Nothing goes wrong any more; for the quiet end of a run.
    void stop() { is_stopped_ = true; }
    const std::map<Kind, std::uint64_t>& counts() const { return counts_; }

  private:
    FaultOptions options_;
    Rng rng_;
    bool is_stopped_ = false;
    std::map<Kind, std::uint64_t> counts_;
};

}  // namespace joiner::sim
