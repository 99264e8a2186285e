#include "io/curl_http.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/check.h"

namespace joiner::io {
namespace {

constexpr std::size_t kIdleHandles = 32;
constexpr long kConnectTimeoutMs = 10'000;  // 5 s failed on a server that was busy with a storm of pods.
constexpr long kKeepAliveIdleSeconds = 15;
constexpr long kKeepAliveIntervalSeconds = 5;
constexpr unsigned kUnacknowledgedMs = 30'000;
constexpr curl_off_t kMaxRetryAfter = 3600;

int set_user_timeout(void*, curl_socket_t fd, curlsocktype) {
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedMs, sizeof kUnacknowledgedMs);
    return CURL_SOCKOPT_OK;
}

struct Lines {
    curl_slist* head = nullptr;
    Lines() = default;
    Lines(const Lines&) = delete;
    Lines& operator=(const Lines&) = delete;
    ~Lines() { curl_slist_free_all(head); }
    void add(const std::string& line) { head = curl_slist_append(head, line.c_str()); }
};

std::string url_part(CURLU* url, CURLUPart part, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
    std::string copy = text;
    curl_free(text);
    return copy;
}

// Where a request goes: the URL that curl is given, and the host it is told to connect to instead, if
// another.
struct Route {
    std::string url;
    std::string host_header;  // Empty: curl's own.
    std::string connect_to;
    bool is_loopback = false;
};

bool is_loopback_host(const std::string& host) {
    return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

// With a tls_server_name the URL carries that name, which curl sends (SNI) and verifies, and CONNECT_TO leads
// it to the real host.
Result<Route> route_of(const Endpoint& endpoint, const std::string& target) {
    const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
    if (curl_url_set(url.get(), CURLUPART_URL, endpoint.base_url.c_str(), 0) != CURLUE_OK) {
        return invalid(fmt::format("\"{}\" is not a URL", endpoint.base_url));
    }
    const std::string host = url_part(url.get(), CURLUPART_HOST);
    Route route;
    route.is_loopback = is_loopback_host(host);
    if (endpoint.tls_server_name.empty() || url_part(url.get(), CURLUPART_SCHEME) != "https") {
        route.url = endpoint.base_url + target;
        return route;
    }
    const std::string port = url_part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
    const std::string path = url_part(url.get(), CURLUPART_PATH);
    route.url =
        fmt::format("https://{}:{}{}{}", endpoint.tls_server_name, port, path == "/" ? "" : path, target);
    route.host_header = fmt::format("Host: {}:{}", host, port);
    route.connect_to = fmt::format("{}:{}:{}:{}", endpoint.tls_server_name, port, host, port);
    return route;
}

Result<void> check_headers(const HttpRequest& request) {
    for (const auto& [name, value] : request.headers) {
        if (name.find_first_of("\r\n:") != std::string::npos ||
            value.find_first_of("\r\n") != std::string::npos) {
            return invalid(fmt::format("header {} holds a line end", name));
        }
    }
    return {};
}

curl_blob blob_of(const std::string& pem) {
    // Not copied: the transfer keeps the endpoint alive for as long as its handle is in use.
    return {const_cast<char*>(pem.data()), pem.size(), CURL_BLOB_NOCOPY};
}

void set_tls(CURL* easy, const Endpoint& endpoint) {
    if (endpoint.insecure_skip_verify) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (!endpoint.ca_pem.empty()) {
        const curl_blob blob = blob_of(endpoint.ca_pem);
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
        // Nobody else is trusted: curl would look into the system's folder too.
        curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
    }
    if (!endpoint.client_certificate_pem.empty()) {
        const curl_blob certificate = blob_of(endpoint.client_certificate_pem);
        const curl_blob key = blob_of(endpoint.client_key_pem);
        curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &certificate);
        curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
        curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key);
        curl_easy_setopt(easy, CURLOPT_SSLKEYTYPE, "PEM");
    }
}

// Without a proxy of its own a request follows the environment, except on the way to this machine.
void set_proxy(CURL* easy, const Endpoint& endpoint, const Route& route) {
    if (!endpoint.proxy_url.empty()) {
        // A name is for a SOCKS proxy to resolve, as Go's clients have it.
        const bool socks = endpoint.proxy_url.starts_with("socks5://");
        const std::string url = socks ? "socks5h" + endpoint.proxy_url.substr(6) : endpoint.proxy_url;
        curl_easy_setopt(easy, CURLOPT_PROXY, url.c_str());
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    } else if (route.is_loopback) {
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
}

void set_method(CURL* easy, const HttpRequest& request) {
    if (request.method == "HEAD") {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    const bool wants_body = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    if (wants_body || !request.body.empty()) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void set_connection(CURL* easy) {
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, kKeepAliveIdleSeconds);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, set_user_timeout);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

WallTime date_of(CURL* easy) {
    curl_header* date = nullptr;
    if (curl_easy_header(easy, "Date", 0, CURLH_HEADER, -1, &date) != CURLHE_OK) return kNoTime;
    constexpr std::time_t kMost = 9'000'000'000;  // Beyond it nanoseconds do not fit.
    const std::time_t seconds = curl_getdate(date->value, nullptr);
    return seconds > 0 && seconds < kMost ? WallTime{std::chrono::seconds{seconds}} : kNoTime;
}

ErrorKind kind_of(CURLcode code) {
    switch (code) {
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_BAD_FUNCTION_ARGUMENT:
            return ErrorKind::kInvalid;
        default:
            return ErrorKind::kUnavailable;
    }
}

}  // namespace

class CurlHttp::Impl {
  public:
    explicit Impl(RealLoop& loop) : loop_(loop), multi_(loop.multi()) {
        loop_.set_network_task([this] { on_network(); });
    }
    ~Impl() {
        loop_.set_network_task(nullptr);
        for (auto& [id, transfer] : transfers_) {
            transfer->cancelled = true;
            detach(*transfer);
        }
        for (CURL* easy : idle_) curl_easy_cleanup(easy);
    }

    RequestId send(HttpRequest request, std::function<void(HttpResult)> done) {
        auto transfer = std::make_shared<Transfer>();
        transfer->request = std::move(request);
        transfer->done = std::move(done);
        return start(transfer);
    }

    RequestId stream(HttpRequest request, StreamHandlers handlers) {
        auto transfer = std::make_shared<Transfer>();
        transfer->request = std::move(request);
        transfer->is_stream = true;
        transfer->handlers = std::move(handlers);
        return start(transfer);
    }

    void cancel(RequestId id) {
        const auto found = transfers_.find(id);
        if (found == transfers_.end()) return;
        const TransferPtr transfer =
            found->second;  // Its handlers may be running: they live until they return.
        transfer->cancelled = true;
        detach(*transfer);
        transfers_.erase(found);
    }

  private:
    struct Transfer {
        Impl* owner = nullptr;
        RequestId id = 0;
        HttpRequest request;
        bool is_stream = false;
        std::function<void(HttpResult)> done;
        StreamHandlers handlers;

        CURL* easy = nullptr;  // Null once the transfer is over.
        Lines headers;
        Lines connect_to;
        std::array<char, CURL_ERROR_SIZE> error_text{};

        HttpResponse response;  // Of a stream, `body` is what came since the last delivery.
        bool too_big = false;
        bool has_started = false;
        bool start_delivered = false;
        bool is_ready = false;  // Stands in ready_.
        bool cancelled = false;
        bool was_held_back = false;  // may_go said no.
        std::optional<tl::expected<void, HttpError>> outcome;
        TimerId silence_timer = 0;
        Duration last_byte{0};

        // Makes room for the rest of the answer at once when its length is known.
        bool make_room(std::size_t more) {
            const std::size_t size = response.body.size() + more;
            if (size > request.max_response_bytes) return false;
            curl_off_t length = 0;
            curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
            if (length > 0 && static_cast<std::size_t>(length) > request.max_response_bytes) return false;
            if (response.body.empty() && length > 0) response.body.reserve(static_cast<std::size_t>(length));
            return true;
        }
    };
    using TransferPtr = std::shared_ptr<Transfer>;

    // curl's callbacks only store. Handlers run from on_network(), where they may start and cancel requests.
    // What one curl_multi_perform() reads of one transfer is bounded by curl, so a stream's buffer is too.
    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
        auto& transfer = *static_cast<Transfer*>(user);
        const std::string_view line(data, size * count);
        transfer.last_byte = transfer.owner->loop_.monotonic();
        if (line != "\r\n" && line != "\n") return line.size();
        long code = 0;
        curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &code);
        if (code < 200) return line.size();  // 100 Continue: the real answer follows.
        transfer.response.code = static_cast<int>(code);
        transfer.has_started = true;
        transfer.owner->mark_ready(transfer);
        return line.size();
    }

    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
        auto& transfer = *static_cast<Transfer*>(user);
        const std::string_view chunk(data, size * count);
        transfer.last_byte = transfer.owner->loop_.monotonic();
        std::string& body = transfer.response.body;
        if (transfer.is_stream) {
            transfer.owner->mark_ready(transfer);
        } else if (!transfer.make_room(chunk.size())) {
            transfer.too_big = true;
            return 0;
        }
        body.append(chunk);
        return chunk.size();
    }

    static int on_about_to_go(void* user, char*, char*, int, int) {
        auto& transfer = *static_cast<Transfer*>(user);
        transfer.was_held_back = !transfer.request.may_go();
        return transfer.was_held_back ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
    }

    RequestId start(const TransferPtr& transfer) {
        transfer->owner = this;
        transfer->id = next_id_++;
        transfers_.emplace(transfer->id, transfer);
        if (const Status status = attach(*transfer); !status) {
            transfer->outcome = not_sent(status.error().kind, status.error().message);
            loop_.post([this, alive = std::weak_ptr<bool>(alive_), transfer] {
                if (!alive.expired()) deliver(*transfer);
            });
        } else if (transfer->request.silence > Duration{0}) {
            transfer->last_byte = loop_.monotonic();
            watch_silence(*transfer, transfer->request.silence);
        }
        return transfer->id;
    }

    Status attach(Transfer& transfer) {
        const HttpRequest& request = transfer.request;
        CHECK(request.endpoint != nullptr);
        TRY_STATUS(check_headers(request));
        TRY(const Route route, route_of(*request.endpoint, request.target));
        CURL* easy = take_handle();
        transfer.easy = easy;
        set_connection(easy);
        set_tls(easy, *request.endpoint);
        set_proxy(easy, *request.endpoint, route);
        set_method(easy, request);
        set_target(transfer, route);
        set_callbacks(transfer);
        if (curl_multi_add_handle(multi_, easy) != CURLM_OK) {
            curl_easy_cleanup(std::exchange(transfer.easy, nullptr));
            return fail(ErrorKind::kInternal, "curl refused the request");
        }
        return {};
    }

    static void set_target(Transfer& transfer, const Route& route) {
        CURL* easy = transfer.easy;
        const Endpoint& endpoint = *transfer.request.endpoint;
        curl_easy_setopt(easy, CURLOPT_URL, route.url.c_str());
        transfer.headers.add("Expect:");  // Never wait for a 100 Continue.
        if (!route.host_header.empty()) transfer.headers.add(route.host_header);
        for (const auto& [name, value] : transfer.request.headers) {
            transfer.headers.add(value.empty() ? name + ";" : name + ": " + value);
        }
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers.head);
        if (!route.connect_to.empty()) {
            transfer.connect_to.add(route.connect_to);
            curl_easy_setopt(easy, CURLOPT_CONNECT_TO, transfer.connect_to.head);
        }
        if (!endpoint.username.empty()) {
            curl_easy_setopt(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
            curl_easy_setopt(easy, CURLOPT_USERNAME, endpoint.username.c_str());
            curl_easy_setopt(easy, CURLOPT_PASSWORD, endpoint.password.c_str());
        }
        if (transfer.request.accept_gzip) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    }

    static void set_callbacks(Transfer& transfer) {
        CURL* easy = transfer.easy;
        curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error_text.data());
        curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
        if (transfer.request.may_go) {
            curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_about_to_go);
            curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
        }
        if (transfer.request.timeout > Duration{0}) {
            const auto ms = std::chrono::ceil<std::chrono::milliseconds>(transfer.request.timeout).count();
            curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(ms));
        }
    }

    CURL* take_handle() {
        if (idle_.empty()) {
            CURL* easy = curl_easy_init();
            CHECK(easy != nullptr);
            return easy;
        }
        CURL* easy = idle_.back();
        idle_.pop_back();
        return easy;
    }

    // Ends curl's part; a connection in the middle of an answer is closed.
    void detach(Transfer& transfer) {
        loop_.cancel(std::exchange(transfer.silence_timer, 0));
        CURL* easy = std::exchange(transfer.easy, nullptr);
        if (easy == nullptr) return;
        curl_multi_remove_handle(multi_, easy);
        if (idle_.size() < kIdleHandles) {
            curl_easy_reset(easy);
            idle_.push_back(easy);
        } else {
            curl_easy_cleanup(easy);
        }
    }

    void watch_silence(Transfer& transfer, Duration delay) {
        transfer.silence_timer = loop_.after(delay, [this, id = transfer.id] {
            const TransferPtr held = transfers_.at(id);
            held->silence_timer = 0;
            const Duration silent = loop_.monotonic() - held->last_byte;
            if (silent < held->request.silence) return watch_silence(*held, held->request.silence - silent);
            held->outcome = tl::unexpected<HttpError>(
                HttpError({ErrorKind::kUnavailable,
                           fmt::format("no data for {}", format_duration(held->request.silence)), 0}));
            detach(*held);
            deliver(*held);
        });
    }

    void mark_ready(Transfer& transfer) {
        if (transfer.is_ready) return;
        transfer.is_ready = true;
        ready_.push_back(transfers_.at(transfer.id));
    }

    void on_network() {
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
            if (message->msg != CURLMSG_DONE) continue;
            const CURLcode code = message->data.result;
            Transfer* transfer = nullptr;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
            finish(*transfer, code);
            mark_ready(*transfer);
        }
        std::vector<TransferPtr> batch;
        batch.swap(ready_);
        for (const TransferPtr& transfer : batch) {
            transfer->is_ready = false;
            deliver(*transfer);
        }
    }

    void finish(Transfer& transfer, CURLcode code) {
        const char* content_type = nullptr;
        curl_easy_getinfo(transfer.easy, CURLINFO_CONTENT_TYPE, &content_type);
        if (content_type != nullptr) transfer.response.content_type = content_type;
        curl_off_t retry_after = 0;
        curl_easy_getinfo(transfer.easy, CURLINFO_RETRY_AFTER, &retry_after);
        transfer.response.retry_after_seconds =
            static_cast<int>(std::clamp<curl_off_t>(retry_after, 0, kMaxRetryAfter));
        transfer.response.server_time = date_of(transfer.easy);
        transfer.outcome = outcome_of(transfer, code);
        detach(transfer);
    }

    static tl::expected<void, HttpError> outcome_of(const Transfer& transfer, CURLcode code) {
        if (code == CURLE_OK) return {};
        if (transfer.was_held_back) return not_sent(ErrorKind::kUnavailable, "it may not go any more");
        if (transfer.too_big) {
            return invalid(
                fmt::format("the reply is larger than {} bytes", transfer.request.max_response_bytes));
        }
        long request_bytes = 0;
        curl_easy_getinfo(transfer.easy, CURLINFO_REQUEST_SIZE, &request_bytes);
        const char* text =
            transfer.error_text[0] != 0 ? transfer.error_text.data() : curl_easy_strerror(code);
        if (request_bytes == 0) return not_sent(kind_of(code), text);
        return fail(kind_of(code), text);
    }

    // After each handler the transfer may have been cancelled; the caller holds it.
    void deliver(Transfer& transfer) {
        if (transfer.cancelled) return;
        if (!transfer.is_stream) {
            if (transfer.outcome) deliver_answer(transfer);
            return;
        }
        const StreamHandlers& handlers = transfer.handlers;
        if (transfer.has_started && !transfer.start_delivered) {
            transfer.start_delivered = true;
            if (handlers.on_start) handlers.on_start(transfer.response.code);
            if (transfer.cancelled) return;
        }
        if (!transfer.response.body.empty()) {
            std::string data = std::exchange(transfer.response.body, {});
            if (handlers.on_data) handlers.on_data(data);
            if (transfer.cancelled) return;
        }
        if (!transfer.outcome) return;
        transfers_.erase(transfer.id);
        if (!handlers.on_end) return;
        handlers.on_end(*transfer.outcome ? Status{} : tl::unexpected<Error>(transfer.outcome->error()));
    }

    void deliver_answer(Transfer& transfer) {
        transfers_.erase(transfer.id);
        if (!transfer.done) return;
        if (*transfer.outcome) {
            transfer.done(std::move(transfer.response));
        } else {
            transfer.done(tl::unexpected<HttpError>(std::move(transfer.outcome->error())));
        }
    }

    RealLoop& loop_;
    CURLM* multi_;
    RequestId next_id_ = 1;
    std::unordered_map<RequestId, TransferPtr> transfers_;
    std::vector<TransferPtr> ready_;
    std::vector<CURL*> idle_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

CurlHttp::CurlHttp(RealLoop& loop) : impl_(std::make_unique<Impl>(loop)) {}
CurlHttp::~CurlHttp() = default;

RequestId CurlHttp::send(HttpRequest request, std::function<void(HttpResult)> done) {
    return impl_->send(std::move(request), std::move(done));
}
RequestId CurlHttp::stream(HttpRequest request, StreamHandlers handlers) {
    return impl_->stream(std::move(request), std::move(handlers));
}
void CurlHttp::cancel(RequestId id) {
    impl_->cancel(id);
}

}  // namespace joiner::io
