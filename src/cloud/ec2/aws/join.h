// Several calls as one. Loop thread.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "cloud/ec2/aws/error.h"

namespace joiner::cloud::ec2::aws {

// For each of `count` calls; `done` hears once that all went well, or the last error. REQUIRES: count > 0.
inline Done<void> joined(std::size_t count, Done<void> done) {
    struct Join {
        std::size_t left;
        Answer<void> answer;
        Done<void> done;
    };
    return [join = std::make_shared<Join>(Join{count, {}, std::move(done)})](const Answer<void>& answer) {
        if (!answer) join->answer = answer;
        if (--join->left == 0) join->done(join->answer);
    };
}

}  // namespace joiner::cloud::ec2::aws
