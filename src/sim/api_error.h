// The API server's refusals, as values: an HTTP code, a reason and the sentences a real server would say. Any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "sim/json.h"

namespace joiner::sim {

struct ResourceType;

struct ApiError {
    int code = 500;
    std::string reason;
    std::string message;
    Json details;  // Null: none.
    int retry_after_seconds = 0;
};

template <typename T>
using Answer = tl::expected<T, ApiError>;
using Refusal = tl::unexpected<ApiError>;

// The metav1.Status that says it.
Json status_of(const ApiError& error);

// One thing wrong with one field, as validation reports it.
struct FieldProblem {
    std::string reason;  // FieldValueInvalid, FieldValueRequired, …
    std::string field;   // "spec.containers[0].name"
    std::string message;
};
using FieldProblems = std::vector<FieldProblem>;
FieldProblem required_value(std::string field, std::string detail = {});
FieldProblem invalid_value(std::string field, const Json& value, std::string detail);
FieldProblem unsupported_value(std::string field, const Json& value,
                               const std::vector<std::string>& supported);
FieldProblem forbidden_value(std::string field, std::string detail);
FieldProblem duplicate_value(std::string field, const Json& value);

Refusal not_found(const ResourceType& type, std::string_view name);
Refusal already_exists(const ResourceType& type, std::string_view name);
// "Operation cannot be fulfilled on pods "x": WHY"
Refusal conflict(const ResourceType& type, std::string_view name, std::string_view why);
inline constexpr std::string_view kObjectModified =
    "the object has been modified; please apply your changes to the latest version and try again";
Refusal invalid_object(const ResourceType& type, std::string_view name, const FieldProblems& problems);
Refusal bad_request(std::string message);
Refusal forbidden(const ResourceType& type, std::string_view name, std::string_view why);
Refusal too_many_requests(std::string message, int retry_after_seconds);
Refusal expired(std::string message);
Refusal internal_error(std::string message);
Refusal method_not_allowed();
Refusal unsupported_media_type(std::string message);
// The server's answer for a path it knows nothing of.
Refusal no_such_path();

}  // namespace joiner::sim

// TRY_ANSWER(auto pod, get(key)); declares `pod`, or returns the refusal to the caller.
#define TRY_ANSWER(declaration, expression) \
    TRY_ANSWER_IMPL(JOINER_CONCAT(try_answer_, __LINE__), declaration, expression)
#define TRY_ANSWER_IMPL(name, declaration, expression)                 \
    auto name = (expression);                                          \
    if (!name) return ::joiner::sim::Refusal(std::move(name).error()); \
    declaration = std::move(*name)
#define TRY_REFUSAL(expression)                                                          \
    do {                                                                                 \
        auto try_refusal = (expression);                                                 \
        if (!try_refusal) return ::joiner::sim::Refusal(std::move(try_refusal).error()); \
    } while (false)
