// The API server's way of saying no: an HTTP code and a metav1.Status body, made into an Error. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace joiner::kube {

// What a metav1.Status says; empty and 0 where it says nothing, or where `json` is no Status.
struct ServerStatus {
    std::string message;
    std::string reason;
    int code = 0;
    int retry_after_seconds = 0;
};
ServerStatus parse_status(std::string_view json);

ErrorKind kind_of_code(int code);
// "PATCH /api/v1/nodes/a: nodes \"a\" not found"; without a Status, "…: HTTP 503".
Error error_of_answer(std::string_view method, std::string_view path, int code, std::string_view body,
                      int retry_after_seconds);

}  // namespace joiner::kube
