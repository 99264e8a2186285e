// AWS's Signature Version 4: the headers that prove a request is ours. Pure; `now` is handed in. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "cloud/ec2/aws/credentials.h"

namespace joiner::cloud::ec2::aws {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct SigningScope {
    std::string region;   // Of the endpoint.
    std::string service;  // "ec2"
};

struct Signable {
    std::string_view method;
    std::string_view host;    // With the port, unless it is the scheme's own.
    std::string_view target;  // Path and query, encoded as they are sent.
    // What else is signed, names in lower case: content-type, x-amz-target. What a proxy or curl may change
    // (user-agent, accept, expect) stays out.
    Headers headers = {};
    std::string_view body = {};
};

// x-amz-date, authorization and, of a session, x-amz-security-token: to be sent along, and no such header
// else.
Headers signature_headers(const Signable& request, const Credentials& credentials, const SigningScope& scope,
                          WallTime now);

// "https://host:8443/path" -> "host:8443"; without a port that is the scheme's own.
std::string host_of_url(std::string_view url);

}  // namespace joiner::cloud::ec2::aws
