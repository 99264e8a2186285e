#include "sim/faults.h"

#include <utility>

namespace joiner::sim {

Faults::Decision Faults::decide(bool is_watch) {
    // One draw a request whatever the options, so that a change of one chance moves as little as can be.
    double draw = rng_.unit();
    const double span = rng_.unit();
    const bool is_first_error = rng_.below(2) == 0;
    if (is_stopped_) return {};
    const auto hits = [&draw](double chance) {
        if (draw < chance) return true;
        draw -= chance;
        return false;
    };
    const auto part_of = [span](Duration whole) {
        return Duration(static_cast<std::int64_t>(static_cast<double>(whole.count()) * span));
    };
    Decision decision;
    if (hits(options_.lose_request)) {
        decision.kind = Kind::kLoseRequest;
    } else if (!is_watch && hits(options_.lose_answer)) {
        decision.kind = Kind::kLoseAnswer;
    } else if (hits(options_.throttle)) {
        decision.kind = Kind::kThrottle;
    } else if (hits(options_.server_error)) {
        decision.kind = is_first_error ? Kind::kInternalError : Kind::kUnavailable;
    } else if (!is_watch && hits(options_.delay)) {
        decision = {Kind::kDelay, part_of(options_.max_delay)};
    } else if (is_watch && hits(options_.expire_watch)) {
        decision.kind = Kind::kExpireWatch;
    } else if (is_watch && hits(options_.cut_watch)) {
        decision = {Kind::kCutWatch, part_of(options_.max_watch)};
    }
    ++counts_[decision.kind];
    return decision;
}

}  // namespace joiner::sim
