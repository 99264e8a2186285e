// Equal values kept once: thousands of objects have the same few labels, or the same words in their
// conditions. Of one owner; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>

namespace joiner {

template <typename T>
class SharedValues {
  public:
    // The one that is equal, or this from now on. It stays as long as somebody has it, and a while longer.
    std::shared_ptr<const T> share(T value) {
        if (const auto it = values_.find(value); it != values_.end()) return *it;
        if (values_.size() >= sweeps_at_) sweep();
        return *values_.insert(std::make_shared<const T>(std::move(value))).first;
    }
    std::size_t size() const { return values_.size(); }

  private:
    struct Before {
        using is_transparent = void;
        static const T& value(const T& value) { return value; }
        static const T& value(const std::shared_ptr<const T>& shared) { return *shared; }
        template <typename A, typename B>
        bool operator()(const A& a, const B& b) const {
            return value(a) < value(b);
        }
    };

    void sweep() {
        std::erase_if(values_, [](const std::shared_ptr<const T>& each) { return each.use_count() == 1; });
        sweeps_at_ = std::max(kFirstSweep, 2 * values_.size());
    }

    static constexpr std::size_t kFirstSweep = 64;
    std::set<std::shared_ptr<const T>, Before> values_;
    std::size_t sweeps_at_ = kFirstSweep;
};

}  // namespace joiner
