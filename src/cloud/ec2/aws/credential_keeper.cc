#include "cloud/ec2/aws/credential_keeper.h"

#include <algorithm>
#include <utility>

namespace joiner::cloud::ec2::aws {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Renewal begins so long before the end, or with a quarter of the life left where that is less.
constexpr Duration kRenewBefore = minutes{10};
// Not used any more so shortly before the end: a request takes its time.
constexpr Duration kMargin = seconds{15};
constexpr Duration kFirstPause = seconds{1};
constexpr Duration kLongestPause = minutes{1};

}  // namespace

bool CredentialKeeper::are_usable() const {
    return current_ && (!current_->expires || clock_.now() + kMargin < *current_->expires);
}

void CredentialKeeper::use(CredentialsDone done) {
    const bool is_due = !current_ || (renew_at_ && clock_.now() >= *renew_at_);
    if (is_due) renew();
    if (are_usable()) return done(*current_);
    if (is_fetching_) {
        waiting_.push_back(std::move(done));
        return;
    }
    done(why_none());  // In the pause between two fetches.
}

tl::unexpected<Error> CredentialKeeper::why_none() const {
    return tl::unexpected<Error>(
        problem_ ? *problem_
                 : Error{ErrorKind::kUnavailable,
                         "the AWS credentials have run out, and no newer ones are there", 0});
}

void CredentialKeeper::refused(const Credentials& credentials) {
    if (current_ && *current_ == credentials) current_.reset();
}

void CredentialKeeper::renew() {
    if (is_fetching_ || loop_.monotonic() < no_fetch_before_) return;
    is_fetching_ = true;
    fetch_([this, is_alive = is_alive_](Result<Credentials> fetched) {
        if (*is_alive) on_fetched(std::move(fetched));
    });
}

void CredentialKeeper::on_fetched(Result<Credentials> fetched) {
    is_fetching_ = false;
    if (fetched) {
        failures_ = 0;
        problem_.reset();
        const WallTime now = clock_.now();
        renew_at_.reset();
        if (fetched->expires) {
            const Duration life = std::max(Duration{0}, *fetched->expires - now);
            renew_at_ = *fetched->expires - std::min(kRenewBefore, life / 4);
        }
        current_ = std::move(*fetched);
        // Some sources hand out the old ones until the very end.
        no_fetch_before_ = loop_.monotonic() + kFirstPause;
    } else {
        const Duration pause = std::min(kLongestPause, kFirstPause * (1 << std::min(failures_++, 6)));
        no_fetch_before_ = loop_.monotonic() + from_seconds(to_seconds(pause) * (0.5 + rng_.unit()));
        problem_ = fetched.error();
    }
    for (const CredentialsDone& done : std::exchange(waiting_, {})) {
        if (are_usable())
            done(*current_);
        else
            done(why_none());
    }
}

}  // namespace joiner::cloud::ec2::aws
