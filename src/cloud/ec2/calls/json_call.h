// Calls of the services that speak JSON: how they are asked, and their answers as objects. Loop thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/calls/json_reader.h"
#include "cloud/ec2/calls/paged.h"

namespace joiner::cloud::ec2 {

inline aws::Call json_call(aws::Service service, const char* target, const char* name, const char* version,
                           const nlohmann::json& body) {
    aws::Call out;
    out.service = service;
    out.protocol = aws::Protocol::kJson;
    out.name = name;
    out.headers = {{"content-type", std::string("application/x-amz-json-") + version},
                   {"x-amz-target", std::string(target) + '.' + name}};
    out.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return out;
}

// The answer of a call as an object, handed to `read`, which returns a T or an aws::Answer<T>. kUnavailable
// where it is none.
template <typename T, typename Read>
void ask_for_object(aws::Client& client, aws::Call call, aws::Done<T> done, Read read) {
    aws::Call named = call;
    named.body.clear();
    client.send(
        std::move(call), [named, done = std::move(done), read](const aws::Answer<std::string>& answer) {
            if (!answer) return done(tl::unexpected<aws::CallError>(answer.error()));
            const nlohmann::json object = nlohmann::json::parse(*answer, nullptr, false);
            if (!object.is_object())
                return done(
                    no_answer(named, {ErrorKind::kUnavailable,
                                      "the answer is no JSON object; does AWS answer at this endpoint?", 0}));
            done(read(object));
        });
}

}  // namespace joiner::cloud::ec2
