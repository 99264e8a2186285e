#include "sim/api_error.h"

#include <fmt/format.h>

#include <utility>

#include "sim/resource_type.h"

namespace joiner::sim {
namespace {

std::string resource_name(const ResourceType& type) {
    return type.group.empty() ? type.plural : type.plural + "." + type.group;
}
std::string kind_name(const ResourceType& type) {
    return type.group.empty() ? type.kind : type.kind + "." + type.group;
}

Json details_of(const ResourceType& type, std::string_view name, std::string_view kind) {
    Json details = {{"kind", kind}};
    if (!name.empty()) details["name"] = name;
    if (!type.group.empty()) details["group"] = type.group;
    return details;
}

Refusal refuse(int code, std::string reason, std::string message, Json details = nullptr) {
    return Refusal(ApiError{code, std::move(reason), std::move(message), std::move(details), 0});
}

std::string value_text(const Json& value) {
    if (value.is_object() || value.is_array()) return to_text(value);
    return value.is_string() ? fmt::format("\"{}\"", value.get_ref<const std::string&>()) : to_text(value);
}

}  // namespace

Json status_of(const ApiError& error) {
    Json status = {{"kind", "Status"},    {"apiVersion", "v1"},       {"metadata", Json::object()},
                   {"status", "Failure"}, {"message", error.message}, {"code", error.code}};
    if (!error.reason.empty()) status["reason"] = error.reason;
    if (!error.details.is_null()) status["details"] = error.details;
    if (error.retry_after_seconds > 0) status["details"]["retryAfterSeconds"] = error.retry_after_seconds;
    return status;
}

FieldProblem required_value(std::string field, std::string detail) {
    return {"FieldValueRequired", std::move(field),
            detail.empty() ? "Required value" : "Required value: " + detail};
}
FieldProblem invalid_value(std::string field, const Json& value, std::string detail) {
    return {"FieldValueInvalid", std::move(field),
            fmt::format("Invalid value: {}: {}", value_text(value), detail)};
}
FieldProblem unsupported_value(std::string field, const Json& value,
                               const std::vector<std::string>& supported) {
    std::string list;
    for (const std::string& each : supported) list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", each);
    return {"FieldValueNotSupported", std::move(field),
            fmt::format("Unsupported value: {}: supported values: {}", value_text(value), list)};
}
FieldProblem forbidden_value(std::string field, std::string detail) {
    return {"FieldValueForbidden", std::move(field), "Forbidden: " + detail};
}
FieldProblem duplicate_value(std::string field, const Json& value) {
    return {"FieldValueDuplicate", std::move(field), "Duplicate value: " + value_text(value)};
}

Refusal not_found(const ResourceType& type, std::string_view name) {
    return refuse(404, "NotFound", fmt::format("{} \"{}\" not found", resource_name(type), name),
                  details_of(type, name, type.plural));
}

Refusal already_exists(const ResourceType& type, std::string_view name) {
    return refuse(409, "AlreadyExists", fmt::format("{} \"{}\" already exists", resource_name(type), name),
                  details_of(type, name, type.plural));
}

Refusal conflict(const ResourceType& type, std::string_view name, std::string_view why) {
    return refuse(
        409, "Conflict",
        fmt::format("Operation cannot be fulfilled on {} \"{}\": {}", resource_name(type), name, why),
        details_of(type, name, type.plural));
}

Refusal invalid_object(const ResourceType& type, std::string_view name, const FieldProblems& problems) {
    std::string text;
    Json causes = Json::array();
    for (const FieldProblem& problem : problems) {
        text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", problem.field, problem.message);
        causes.push_back(
            {{"reason", problem.reason}, {"message", problem.message}, {"field", problem.field}});
    }
    if (problems.size() > 1) text = "[" + text + "]";
    Json details = details_of(type, name, type.kind);
    details["causes"] = std::move(causes);
    return refuse(422, "Invalid", fmt::format("{} \"{}\" is invalid: {}", kind_name(type), name, text),
                  std::move(details));
}

Refusal bad_request(std::string message) {
    return refuse(400, "BadRequest", std::move(message));
}

Refusal forbidden(const ResourceType& type, std::string_view name, std::string_view why) {
    return refuse(403, "Forbidden", fmt::format("{} \"{}\" is forbidden: {}", resource_name(type), name, why),
                  details_of(type, name, type.plural));
}

Refusal too_many_requests(std::string message, int retry_after_seconds) {
    Refusal refusal = refuse(429, "TooManyRequests", std::move(message));
    refusal.value().retry_after_seconds = retry_after_seconds;
    return refusal;
}

Refusal expired(std::string message) {
    return refuse(410, "Expired", std::move(message));
}

Refusal internal_error(std::string message) {
    return refuse(500, "InternalError", "Internal error occurred: " + message,
                  {{"causes", Json::array({{{"message", message}}})}});
}

Refusal method_not_allowed() {
    return refuse(405, "MethodNotAllowed", "the server does not allow this method on the requested resource",
                  Json::object());
}

Refusal unsupported_media_type(std::string message) {
    return refuse(415, "UnsupportedMediaType", std::move(message));
}

Refusal no_such_path() {
    return refuse(404, "NotFound", "the server could not find the requested resource", Json::object());
}

}  // namespace joiner::sim
