// Serves the page and its JSON (docs/page.md) over HTTP, on threads of its own; what they show, and whom,
// they ask the loop. Read-only. Created and destroyed on the loop's thread.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "control/loop_line.h"
#include "control/page_guard.h"
#include "control/page_keeper.h"
#include "control/page_options.h"
#include "observe/http_server.h"

namespace joiner::control {

class PageServer {
  public:
    static Result<std::unique_ptr<PageServer>> start(const PageOptions& options, io::Loop& loop,
                                                     PageKeeper& keeper, PageGuard& guard);
    ~PageServer();
    int port() const { return server_->port(); }

  private:
    PageServer(io::Loop& loop, PageKeeper& keeper, PageGuard& guard, bool asks_for_token)
        : line_(loop), keeper_(keeper), guard_(guard), asks_for_token_(asks_for_token) {}

    using Make = std::function<PageKeeper::Text()>;  // Runs on the loop.
    observe::Page answer(const observe::Question& question, Make make);
    // 200, or what is answered in place of all.
    PageGuard::Access access(const observe::Question& question);

    LoopLine line_;
    PageKeeper& keeper_;
    PageGuard& guard_;
    const bool asks_for_token_;
    std::unique_ptr<observe::HttpServer> server_;
};

}  // namespace joiner::control
