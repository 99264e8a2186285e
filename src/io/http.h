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
};

struct HttpResponse {
    int code = 0;
    std::string body;
    std::string content_type;
    int retry_after_seconds = 0;
};

using RequestId = std::uint64_t;

// An error of send() or stream() after which the request has certainly not reached the server, so that
// sending it again is always safe. A word at the start of the message, since Error has no place of its own
// for it.
inline constexpr std::string_view kNotSent = "not sent: ";
inline bool was_not_sent(const Error& error) {
    return error.message.starts_with(kNotSent);
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
    virtual RequestId send(HttpRequest request, std::function<void(Result<HttpResponse>)> done) = 0;
    virtual RequestId stream(HttpRequest request, StreamHandlers handlers) = 0;
    virtual void cancel(RequestId id) = 0;
};

}  // namespace joiner::io
