// Where the page is served, and to whom.
#pragma once

namespace joiner::control {

struct PageOptions {
    int port = 0;                // 0: any free one.
    bool without_token = false;  // Then only this machine reaches it.
};

}  // namespace joiner::control
