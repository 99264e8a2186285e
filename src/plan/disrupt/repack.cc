#include "plan/disrupt/repack.h"

#include <limits>
#include <optional>

#include "plan/disrupt/repack_search.h"
#include "plan/disrupt/repack_steps.h"

namespace joiner::plan {

class Repack::Impl {
  public:
    Impl(const RepackQuestion& question, const RepackOptions& options)
        : question_(question), options_(options) {}

    bool run_slice(std::uint64_t looks) {
        if (is_done_) return true;
        if (!search_) {
            search_ = std::make_unique<RepackSearch>(question_, options_);
            return false;
        }
        if (!steps_) {
            if (search_->run_slice(looks)) steps_.emplace(question_, *search_, options_);
            return false;
        }
        for (std::uint64_t spent = 0; spent < looks;) {
            const std::uint64_t took = steps_->make_one();
            spent += took;
            if (took > 0) continue;
            result_ = steps_->take();
            is_done_ = true;
            break;
        }
        return is_done_;
    }
    const std::vector<RepackStep>& steps() const { return result_; }

  private:
    const RepackQuestion& question_;
    const RepackOptions options_;
    std::unique_ptr<RepackSearch> search_;
    std::optional<RepackSteps> steps_;
    std::vector<RepackStep> result_;
    bool is_done_ = false;
};

Repack::Repack(const RepackQuestion& question, const RepackOptions& options)
    : impl_(std::make_unique<Impl>(question, options)) {}
Repack::~Repack() = default;

bool Repack::run_slice(std::uint64_t looks) {
    return impl_->run_slice(looks);
}

const std::vector<RepackStep>& Repack::steps() const {
    return impl_->steps();
}

std::vector<RepackStep> plan_repack(const RepackQuestion& question, const RepackOptions& options) {
    Repack repack(question, options);
    while (!repack.run_slice(std::numeric_limits<std::uint32_t>::max())) {
    }
    return repack.steps();
}

}  // namespace joiner::plan
