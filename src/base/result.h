// Expected failures are values. A Result is the value or an Error that says, in one sentence for a person and
// in one kind for the caller, what went wrong and what to do next. Any thread; owns its text.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace joiner {

// What the caller should do next.
enum class ErrorKind {
    kInvalid,      // The input is wrong; report it, trying again is no use.
    kNotFound,     // The thing is gone; go on without it.
    kConflict,     // Someone else wrote first, or it exists already; read again.
    kGone,         // The history asked for is no longer kept; list again.
    kUnavailable,  // The other side is away or too busy; back off and try again.
    kThrottled,    // Too many requests of ours; ask fewer, and wait for as long as it says.
    kForbidden,    // Not allowed; report it, back off long.
    kExhausted,    // No capacity of this kind; plan without it.
    kNotReady,     // What the request builds on is not there yet; ask again when that has changed.
    kInternal,     // Ours or the other side's bug; report it.
};

const char* to_string(ErrorKind kind);

struct Error {
    ErrorKind kind = ErrorKind::kInternal;
    std::string message;
    // Seconds the other side asked to wait before the next try; 0 when it said nothing.
    int retry_after_seconds = 0;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
    return tl::unexpected<Error>(Error{kind, std::move(message), 0});
}
inline tl::unexpected<Error> invalid(std::string message) {
    return fail(ErrorKind::kInvalid, std::move(message));
}

}  // namespace joiner

#define JOINER_CONCAT_INNER(a, b) a##b
#define JOINER_CONCAT(a, b) JOINER_CONCAT_INNER(a, b)

// TRY(auto pods, decode_pods(body)); declares `pods`, or returns the error to the caller.
#define TRY(declaration, expression) TRY_IMPL(JOINER_CONCAT(try_result_, __LINE__), declaration, expression)
#define TRY_IMPL(name, declaration, expression)                                 \
    auto name = (expression);                                                   \
    if (!name) return tl::unexpected<::joiner::Error>(std::move(name).error()); \
    declaration = std::move(*name)

// TRY_STATUS(write(file)); returns the error to the caller, if any.
#define TRY_STATUS(expression)                                                                  \
    do {                                                                                        \
        auto try_status = (expression);                                                         \
        if (!try_status) return tl::unexpected<::joiner::Error>(std::move(try_status).error()); \
    } while (false)
