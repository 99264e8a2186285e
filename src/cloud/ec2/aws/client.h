// Sends calls to AWS: signed, by AWS's clock where ours is wrong, paced by kind, and tried again where that
// is safe and may help, within a budget that all calls share. Owned by the provider, borrows the loop and the
// HTTP client. Loop thread; answers never come from inside a call.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/rng.h"
#include "cloud/ec2/aws/credential_keeper.h"
#include "cloud/ec2/aws/endpoints.h"
#include "cloud/ec2/aws/error.h"
#include "cloud/ec2/aws/pace.h"
#include "cloud/ec2/aws/response.h"
#include "cloud/ec2/aws/server_clock.h"
#include "cloud/ec2/aws/signer.h"
#include "io/http.h"
#include "io/loop.h"

namespace joiner::cloud::ec2::aws {

// How often a call goes out at most.
inline constexpr int kMostAttempts = 4;

struct Call {
    Service service = Service::kEc2;
    std::string name;  // "CreateFleet"
    Protocol protocol = Protocol::kEc2Xml;
    std::string method = "POST";
    std::string target = "/";
    Headers headers = {};  // All are signed; names in lower case.
    std::string body = {};
    // Whether it may be sent again though the first may have been done. By a client token, say.
    bool is_repeatable = true;
    Duration timeout = std::chrono::seconds{60};
};

// Hears how requests and calls went. `code`: HTTP's, of the last answer; 0: none came.
class CallListener {
  public:
    virtual ~CallListener() = default;
    virtual void request_ended(Service service, const std::string& call, int code, Duration took) = 0;
    // `requests`: how many it took.
    virtual void call_ended(Service service, const std::string& call, int code, Duration took,
                            int requests) = 0;
};

// How calls fared.
struct CallCounts {
    std::int64_t attempts = 0;
    std::int64_t throttled = 0;
    std::int64_t failed = 0;  // Calls, not attempts.
};

class Client {
  public:
    // `agent`: how we name ourselves to AWS.
    Client(io::Loop& loop, io::HttpClient& http, Rng rng, Endpoints endpoints, CredentialKeeper::Fetch fetch,
           std::string agent);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // The body of an answer that is no error.
    void send(Call call, Done<std::string> done);

    // Outlives the client.
    void tell(CallListener& listener) { listener_ = &listener; }
    const Endpoints& endpoints() const { return endpoints_; }
    // By service and name: "ec2:CreateFleet".
    const std::map<std::string, CallCounts>& counts() const { return counts_; }

  private:
    struct Pending;
    void attempt(const std::shared_ptr<Pending>& pending);
    void send_signed(const std::shared_ptr<Pending>& pending, const Credentials& credentials);
    void on_answer(const std::shared_ptr<Pending>& pending, const Credentials& used, io::HttpResult answer);
    void fail_or_retry(const std::shared_ptr<Pending>& pending, CallError error, bool may_help);
    void finish(const std::shared_ptr<Pending>& pending, Answer<std::string> answer);
    std::shared_ptr<const io::Endpoint> endpoint_at(const std::string& url);

    io::Loop& loop_;
    io::HttpClient& http_;
    Rng rng_;
    const Endpoints endpoints_;
    ServerClock clock_;
    CredentialKeeper credentials_;
    const std::string agent_;
    std::map<std::string, std::shared_ptr<const io::Endpoint>> urls_;
    std::map<std::string, Pace> paces_;
    std::map<std::string, CallCounts> counts_;
    double retry_tokens_;
    CallListener* listener_ = nullptr;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2::aws
