// Keeps credentials that can be used: fetches them, renews them before they end, and hands the old ones out
// while they last. Loop thread.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "cloud/ec2/aws/credential_source.h"
#include "cloud/ec2/aws/server_clock.h"

namespace joiner::cloud::ec2::aws {

class CredentialKeeper {
  public:
    using Fetch = std::function<void(CredentialsDone)>;
    CredentialKeeper(io::Loop& loop, const ServerClock& clock, Rng rng, Fetch fetch)
        : loop_(loop), clock_(clock), rng_(rng), fetch_(std::move(fetch)) {}
    ~CredentialKeeper() { *is_alive_ = false; }
    CredentialKeeper(const CredentialKeeper&) = delete;
    CredentialKeeper& operator=(const CredentialKeeper&) = delete;

    // Those that last, at once and from inside the call; otherwise when they have been fetched, or an error
    // when they could not be. Starts whatever renewal is due.
    void use(CredentialsDone done);
    // AWS has refused these; unless newer ones are there already, none are used before they are fetched anew.
    void refused(const Credentials& credentials);

  private:
    bool are_usable() const;
    tl::unexpected<Error> why_none() const;
    void renew();
    void on_fetched(Result<Credentials> fetched);

    io::Loop& loop_;
    const ServerClock& clock_;
    Rng rng_;
    Fetch fetch_;
    std::optional<Credentials> current_;
    std::optional<WallTime> renew_at_;  // nullopt: never, of credentials that do not expire.
    bool is_fetching_ = false;
    Duration no_fetch_before_{0};
    int failures_ = 0;
    std::optional<Error> problem_;  // Of the last fetch.
    std::vector<CredentialsDone> waiting_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2::aws
