// Fetches credentials as a plan says: by STS, from an endpoint near by, or from the machine's metadata.
// Borrows the loop and the HTTP client. Loop thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cloud/ec2/aws/credential_plan.h"
#include "cloud/ec2/aws/endpoints.h"
#include "cloud/ec2/aws/server_clock.h"
#include "io/http.h"
#include "io/loop.h"

namespace joiner::cloud::ec2::aws {

using CredentialsDone = std::function<void(Result<Credentials>)>;

class CredentialSource {
  public:
    CredentialSource(io::Loop& loop, io::HttpClient& http, Endpoints endpoints, CredentialPlan plan)
        : loop_(loop), http_(http), endpoints_(std::move(endpoints)), plan_(std::move(plan)), clock_(loop) {}

    // Errors say what was asked and what to look at, and hold no secret. Kinds: kUnavailable is worth another
    // try soon, the others are somebody's mistake and may be mended.
    void fetch(CredentialsDone done) { fetch(plan_, std::move(done)); }

  private:
    void fetch(const CredentialPlan& plan, CredentialsDone done);
    void fetch_from(const WebIdentity& plan, CredentialsDone done);
    void fetch_from(const AssumedRole& plan, CredentialsDone done);
    void fetch_from(const ContainerEndpoint& plan, CredentialsDone done);
    void fetch_from(const InstanceMetadata& plan, CredentialsDone done);
    struct StsQuestion {
        std::string form;
        std::optional<Credentials> signer;
        std::string what;
        CredentialsDone done;
        bool has_set_clock = false;
    };
    void ask_sts(StsQuestion question);
    void on_sts(StsQuestion question, Duration clock_ahead, const io::HttpResult& answer);

    io::Loop& loop_;
    io::HttpClient& http_;
    const Endpoints endpoints_;
    const CredentialPlan plan_;
    ServerClock clock_;
};

// The region that the machine stands in, from its metadata.
void fetch_region(io::HttpClient& http, const std::string& metadata_url,
                  std::function<void(Result<std::string>)> done);

}  // namespace joiner::cloud::ec2::aws
