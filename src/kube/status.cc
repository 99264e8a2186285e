#include "kube/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace joiner::kube {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestStatus = 1u << 20;
constexpr std::size_t kLongestMessage = 2048;
constexpr int kLongestRetryAfter = 3600;

std::string string_at(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}
int int_at(const json& object, const char* key, int most) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer()) return 0;
    return static_cast<int>(std::clamp<std::int64_t>(found->get<std::int64_t>(), 0, most));
}

}  // namespace

ServerStatus parse_status(std::string_view text) {
    ServerStatus status;
    if (text.size() > kLongestStatus) return status;
    const json document = json::parse(text, nullptr, false);
    if (!document.is_object() || string_at(document, "kind") != "Status") return status;
    status.message = string_at(document, "message");
    if (status.message.size() > kLongestMessage) status.message.resize(kLongestMessage);
    status.reason = string_at(document, "reason");
    status.code = int_at(document, "code", 999);
    const auto details = document.find("details");
    if (details != document.end() && details->is_object()) {
        status.retry_after_seconds = int_at(*details, "retryAfterSeconds", kLongestRetryAfter);
    }
    return status;
}

ErrorKind kind_of_code(int code) {
    switch (code) {
        case 401:
        case 403:
            return ErrorKind::kForbidden;
        case 404:
            return ErrorKind::kNotFound;
        case 409:
            return ErrorKind::kConflict;
        case 410:
            return ErrorKind::kGone;
        case 408:
        case 429:
            return ErrorKind::kUnavailable;
        default:
            break;
    }
    if (code >= 500) return ErrorKind::kUnavailable;
    return code >= 400 ? ErrorKind::kInvalid : ErrorKind::kInternal;
}

Error error_of_answer(std::string_view method, std::string_view path, int code, std::string_view body,
                      int retry_after_seconds) {
    const ServerStatus status = parse_status(body);
    const std::string what = status.message.empty() ? fmt::format("HTTP {}", code) : status.message;
    return Error{kind_of_code(code), fmt::format("{} {}: {}", method, path, what),
                 std::max(retry_after_seconds, status.retry_after_seconds)};
}

}  // namespace joiner::kube
