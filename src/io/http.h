// HTTP requests without blocking. Completions are delivered on the loop's thread, never from inside send() or
// stream() themselves. io/curl_http.h is the real one; the simulated cluster has one that answers in the
// process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace joiner::io {

// How to reach and trust one server; shared by all requests to it. Replaced as a whole, never changed.
struct Endpoint {
    std::string base_url = {};  // "https://host:port", no slash at the end.
    std::string ca_pem = {};    // Empty: the system's.
    std::string client_certificate_pem = {};
    std::string client_key_pem = {};
    std::string tls_server_name = {};
    bool insecure_skip_verify = false;
    std::string proxy_url = {};
    std::string username = {};  // HTTP basic authentication, when not empty.
    std::string password = {};
};

struct HttpRequest {
    std::string method = "GET";
    std::shared_ptr<const Endpoint> endpoint;
    std::string target;  // Path and query, from the first slash.
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    Duration timeout = std::chrono::seconds{10};  // Of the whole request; zero means none (streams).
    Duration silence = Duration{0};  // A stream with no byte for so long ends with kUnavailable; zero: never.
    std::size_t max_response_bytes = 256u << 20;  // Beyond it the request fails with kInvalid.
    bool accept_gzip = false;
    // Asked at the last moment, when the connection stands and the first byte is about to go; false ends the
    // request as not sent. Absent: it may always go.
    std::function<bool()> may_go = {};
};

struct HttpResponse {
    int code = 0;
    std::string body;
    std::string content_type;
    int retry_after_seconds = 0;
    WallTime server_time = kNoTime;  // What the server's clock said, by its Date; kNoTime: nothing.
};

using RequestId = std::uint64_t;

// Why there is no answer. Where `was_sent` is false the request has certainly not reached the server, and
// sending it again is always safe; otherwise it may have been done.
struct HttpError : Error {
    HttpError(Error error, bool is_on_its_way = true)  // NOLINT: an Error is one whose request may have gone.
        : Error(std::move(error)), was_sent(is_on_its_way) {}

    bool was_sent = true;
};
using HttpResult = tl::expected<HttpResponse, HttpError>;

inline tl::unexpected<HttpError> not_sent(ErrorKind kind, std::string_view why) {
    return tl::unexpected<HttpError>(HttpError({kind, "not sent: " + std::string(why), 0}, false));
}

struct StreamHandlers {
    // Once, before any data. For codes of 400 and above the body comes through on_data too.
    std::function<void(int code)> on_start;
    std::function<void(std::string_view)> on_data;
    // Once, last. An orderly end is a value. After cancel() nothing is called any more.
    std::function<void(Status)> on_end;
};

class HttpClient {
  public:
    virtual ~HttpClient() = default;
    // Errors: kUnavailable (no connection, broken, or timed out: it may have been done), kInvalid (reply too
    // big). HTTP error codes are values here.
    virtual RequestId send(HttpRequest request, std::function<void(HttpResult)> done) = 0;
    virtual RequestId stream(HttpRequest request, StreamHandlers handlers) = 0;
    virtual void cancel(RequestId id) = 0;
};

}  // namespace joiner::io
