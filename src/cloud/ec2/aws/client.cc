#include "cloud/ec2/aws/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/cut.h"

namespace joiner::cloud::ec2::aws {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kFirstPause = milliseconds{100};
constexpr Duration kFirstPauseWhenThrottled = seconds{1};
constexpr Duration kLongestPause = seconds{20};
// What retries may be used up before others succeed, so that a service that fails is not asked twice as
// often.
constexpr double kRetryTokens = 500;
constexpr double kTokensOfARetry = 5;
constexpr std::size_t kMostBytes = 48u << 20;
constexpr std::size_t kMostOfAMessage = 600;

// AWS explains a wrong signature with the request that it has seen, session token and all.
bool may_quote_the_request(std::string_view code) {
    return code == "SignatureDoesNotMatch" || code == "InvalidSignatureException" ||
           code == "IncompleteSignature" || code == "IncompleteSignatureException";
}

void blot_out(std::string& text, const std::string& secret) {
    if (secret.empty()) return;
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
        text.replace(at, secret.size(), "***");
}

std::string quoted(const ErrorText& error, const Credentials& used) {
    if (may_quote_the_request(error.code))
        return "AWS does not accept the signature: is the secret key right, and the machine's clock?";
    std::string out = error.message;
    for (const std::string& secret : {used.secret_key, used.session_token, used.access_key})
        blot_out(out, secret);
    return cut_with_dots(std::move(out), kMostOfAMessage);
}

}  // namespace

struct Client::Pending {
    Call call;
    std::string key;  // "ec2:CreateFleet"
    Done<std::string> done;
    int attempts = 0;
    int last_code = 0;           // HTTP's; 0: no answer came.
    Duration began{0};           // Of the call,
    Duration went_out{0};        // and of the last attempt.
    Duration clock_ahead{0};     // By which the last attempt was signed.
    bool has_set_clock = false;  // Was refused for its time once.
    bool has_renewed = false;    // Was refused once, and goes out with newer credentials.
    bool may_be_done = false;    // By an earlier attempt.

    std::string words() const { return fmt::format("{} {}", name_of(call.service), call.name); }
};

Client::Client(io::Loop& loop, io::HttpClient& http, Rng rng, Endpoints endpoints,
               CredentialKeeper::Fetch fetch, std::string agent)
    : loop_(loop),
      http_(http),
      rng_(rng),
      endpoints_(std::move(endpoints)),
      clock_(loop),
      credentials_(loop, clock_, Rng(rng_.next()), std::move(fetch)),
      agent_(std::move(agent)),
      retry_tokens_(kRetryTokens) {}

Client::~Client() {
    *is_alive_ = false;
}

void Client::send(Call call, Done<std::string> done) {
    auto pending = std::make_shared<Pending>();
    pending->key = fmt::format("{}:{}", name_of(call.service), call.name);
    pending->call = std::move(call);
    pending->done = std::move(done);
    pending->began = loop_.monotonic();
    attempt(pending);
}

void Client::attempt(const std::shared_ptr<Pending>& pending) {
    const Duration now = loop_.monotonic();
    const Duration at = paces_[pending->key].take(now);
    loop_.after(at - now, [this, pending, is_alive = is_alive_] {
        if (!*is_alive) return;
        credentials_.use([this, pending, is_alive](const Result<Credentials>& credentials) {
            if (!*is_alive) return;
            if (credentials) return send_signed(pending, *credentials);
            CallError error;
            error.kind = credentials.error().kind;
            error.message = fmt::format("{}: {}", pending->words(), credentials.error().message);
            error.may_be_done = pending->may_be_done;
            finish(pending, tl::unexpected<CallError>(std::move(error)));
        });
    });
}

std::shared_ptr<const io::Endpoint> Client::endpoint_at(const std::string& url) {
    auto& kept = urls_[url];
    if (!kept) {
        io::Endpoint endpoint;
        endpoint.base_url = url;
        kept = std::make_shared<const io::Endpoint>(std::move(endpoint));
    }
    return kept;
}

void Client::send_signed(const std::shared_ptr<Pending>& pending, const Credentials& credentials) {
    const Call& call = pending->call;
    const ServiceEndpoint endpoint = endpoints_.of(call.service);
    const std::string host = host_of_url(endpoint.url);
    io::HttpRequest request;
    request.endpoint = endpoint_at(endpoint.url);
    request.method = call.method;
    request.target = call.target;
    request.headers = call.headers;
    for (auto& header :
         signature_headers({call.method, host, call.target, call.headers, call.body}, credentials,
                           {endpoint.signing_region, std::string(name_of(call.service))}, clock_.now()))
        request.headers.push_back(std::move(header));
    request.headers.emplace_back("user-agent", agent_);
    request.body = call.body;
    request.timeout = call.timeout;
    request.max_response_bytes = kMostBytes;
    request.accept_gzip = true;
    pending->clock_ahead = clock_.ahead();
    pending->went_out = loop_.monotonic();
    ++pending->attempts;
    ++counts_[pending->key].attempts;
    http_.send(std::move(request), [this, pending, credentials, is_alive = is_alive_](io::HttpResult answer) {
        if (*is_alive) on_answer(pending, credentials, std::move(answer));
    });
}

void Client::on_answer(const std::shared_ptr<Pending>& pending, const Credentials& used,
                       io::HttpResult answer) {
    const Duration now = loop_.monotonic();
    pending->last_code = answer ? answer->code : 0;
    if (listener_ != nullptr)
        listener_->request_ended(pending->call.service, pending->call.name, pending->last_code,
                                 now - pending->went_out);
    CallError error;
    if (!answer) {
        error.kind = answer.error().kind;
        error.message = fmt::format("{}: {}", pending->words(), answer.error().message);
        if (answer.error().was_sent) pending->may_be_done = true;
        const bool is_safe = pending->call.is_repeatable || !pending->may_be_done;
        const bool may_help = is_safe && error.kind == ErrorKind::kUnavailable;
        return fail_or_retry(pending, std::move(error), may_help);
    }
    if (answer->code >= 200 && answer->code < 300) {
        paces_[pending->key].succeeded(now);
        retry_tokens_ = std::min(kRetryTokens, retry_tokens_ + 1);
        return finish(pending, std::move(answer->body));
    }

    const ErrorText text = error_of(pending->call.protocol, answer->body);
    error.code = cut_with_dots(text.code, 200);
    error.kind = kind_of_code(text.code, answer->code);
    error.retry_after_seconds = answer->retry_after_seconds;
    error.details = quoted(text, used);
    error.message =
        text.code.empty() && text.message.empty()
            ? fmt::format("{}: the answer was HTTP {}, and not in AWS's words; does AWS answer at {}?",
                          pending->words(), answer->code, endpoints_.of(pending->call.service).url)
            : fmt::format("{}: {}{}{}", pending->words(), error.code, error.code.empty() ? "" : ": ",
                          error.details);
    if (!pending->has_set_clock && clock_.corrects(text.code, answer->server_time, pending->clock_ahead)) {
        pending->has_set_clock = true;
        return attempt(pending);
    }
    if (is_expired_credentials(text.code) && !pending->has_renewed) {
        pending->has_renewed = true;
        credentials_.refused(used);
        return attempt(pending);
    }
    if (error.kind == ErrorKind::kThrottled) {
        paces_[pending->key].throttled(now);
        ++counts_[pending->key].throttled;
        return fail_or_retry(pending, std::move(error), true);
    }
    if (error.kind == ErrorKind::kUnavailable) {
        pending->may_be_done = true;
        const bool is_safe = pending->call.is_repeatable;
        return fail_or_retry(pending, std::move(error), is_safe);
    }
    fail_or_retry(pending, std::move(error), false);
}

void Client::fail_or_retry(const std::shared_ptr<Pending>& pending, CallError error, bool may_help) {
    error.may_be_done = pending->may_be_done;
    if (!may_help || pending->attempts >= kMostAttempts || retry_tokens_ < kTokensOfARetry)
        return finish(pending, tl::unexpected<CallError>(std::move(error)));
    retry_tokens_ -= kTokensOfARetry;
    const Duration first = error.kind == ErrorKind::kThrottled ? kFirstPauseWhenThrottled : kFirstPause;
    const Duration middle = std::min(kLongestPause, first * (1 << (pending->attempts - 1)));
    Duration pause = from_seconds(to_seconds(middle) * (0.5 + rng_.unit()));
    pause = std::max<Duration>(pause, seconds{std::min(error.retry_after_seconds, 20)});
    loop_.after(pause, [this, pending, is_alive = is_alive_] {
        if (*is_alive) attempt(pending);
    });
}

void Client::finish(const std::shared_ptr<Pending>& pending, Answer<std::string> answer) {
    if (!answer) ++counts_[pending->key].failed;
    if (listener_ != nullptr)
        listener_->call_ended(pending->call.service, pending->call.name, pending->last_code,
                              loop_.monotonic() - pending->began, pending->attempts);
    const Done<std::string> done = std::move(pending->done);
    done(std::move(answer));
}

}  // namespace joiner::cloud::ec2::aws
