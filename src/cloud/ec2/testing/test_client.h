// A client of AWS that always has keys, over whatever answers a test writes. Test's thread. In no namespace
// called testing, which would hide googletest's.
#pragma once

#include <string>

#include "cloud/ec2/aws/client.h"

namespace joiner::cloud::ec2::aws {

// `loop` outlives what is returned, here and below.
inline CredentialKeeper::Fetch test_keys(io::Loop& loop) {
    return [&loop](const CredentialsDone& done) {
        loop.post([done] { done(Credentials{"A", "s", "", std::nullopt}); });
    };
}

inline Client test_client(io::Loop& loop, io::HttpClient& http, const std::string& region = "us-east-1") {
    return Client(loop, http, Rng(1), *Endpoints::read({}, region), test_keys(loop), "joiner-test");
}

}  // namespace joiner::cloud::ec2::aws
