// Why an AWS call has no result: what the caller should do next (its kind), and AWS's own code, by which a
// few callers tell cases apart. The message names the call and AWS's reason, and never holds a credential.
// Value types; any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace joiner::cloud::ec2::aws {

struct CallError : Error {
    std::string code;     // "InvalidInstanceID.NotFound"; empty where no answer of AWS's own came.
    std::string details;  // AWS's own message.
    // The request may have been carried out, though no answer says so.
    bool may_be_done = false;

    bool is_dry_run() const { return code == "DryRunOperation"; }
};

template <typename T>
using Answer = tl::expected<T, CallError>;
template <typename T>
using Done = std::function<void(Answer<T>)>;

// What an error code means for the caller. `http_code` decides where the code is unknown.
ErrorKind kind_of_code(std::string_view code, int http_code);
bool is_throttling(std::string_view code);
// The signature was refused for its time, or the credentials have run out: newer ones may do.
bool is_expired_credentials(std::string_view code);
// The request may have been refused because its time is not AWS's.
bool may_be_for_its_time(std::string_view code);

}  // namespace joiner::cloud::ec2::aws
