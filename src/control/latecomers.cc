#include "control/latecomers.h"

#include "plan/lifecycle/reboot.h"
#include "rules/conditions.h"

namespace joiner::control {
namespace {

// A replacement that has registered by the time its command is given up may still be of use to others.
constexpr Duration kLateTime = std::chrono::minutes{5};
// As for the replacements of commands of our own.
constexpr Duration kInheritedTime = std::chrono::minutes{10};

}  // namespace

void Latecomers::add(const std::set<std::string>& claims) {
    for (const std::string& name : claims) until_[name] = services_.loop.now() + kLateTime;
    send_away();
}

void Latecomers::reconcile() {
    reconcile_inherited();
    send_away();
}

void Latecomers::send_away() {
    const WallTime now = services_.loop.now();
    std::erase_if(until_, [&](const auto& item) {
        const auto& [name, until] = item;
        const model::ClaimState* state = services_.cluster.find_claim(name);
        if (state == nullptr || state->claim.meta.deleted ||
            rules::is_true(state->claim.conditions, "Initialized") || planned_.has_claim(name))
            return true;
        if (rules::is_true(state->claim.conditions, "Registered") && now < until) return false;
        lifecycle_.delete_claim(name, "replacement_too_late");
        return true;
    });
}

void Latecomers::reconcile_inherited() {
    const WallTime now = services_.loop.now();
    const auto is_coming = [&](const std::string& name) {
        const model::ClaimState* state = services_.cluster.find_claim(name);
        return state != nullptr && !state->claim.meta.deleted && !plan::is_rebooting(state->claim) &&
               !rules::is_true(state->claim.conditions, "Initialized");
    };
    if (!inherited_) {
        began_at_ = now;
        inherited_.emplace();
        for (const auto& [name, state] : services_.cluster.our_claims()) {
            if (is_coming(name)) inherited_->insert(name);
        }
    }
    std::erase_if(*inherited_, [&](const std::string& name) {
        return !is_coming(name) || now - began_at_ >= kInheritedTime;
    });
}

}  // namespace joiner::control
