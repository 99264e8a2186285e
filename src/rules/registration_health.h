// Whether a NodePool's nodes keep coming up: the outcomes of its last four launches. A value type; pure.
// Source: Karpenter's documented NodeRegistrationHealthy condition.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

namespace joiner::rules {

class RegistrationHealth {
  public:
    // What a condition that is known already says, after a restart.
    static RegistrationHealth from(bool is_healthy) {
        RegistrationHealth out;
        out.note(is_healthy);
        if (!is_healthy) out.note(false);
        return out;
    }

    void note(bool has_registered) {
        failed_[next_++ % failed_.size()] = !has_registered;
        last_ = has_registered;
    }
    // False once half of the last four failed; true after a success with fewer; nullopt while neither is so.
    std::optional<bool> verdict() const {
        std::size_t failures = 0;
        for (const bool failed : failed_) failures += failed ? 1 : 0;
        if (2 * failures >= failed_.size()) return false;
        if (last_ == true) return true;
        return std::nullopt;
    }

  private:
    std::array<bool, 4> failed_{};
    std::size_t next_ = 0;
    std::optional<bool> last_;
};

}  // namespace joiner::rules
