// An API server in memory: objects, watches, patches, discovery and printing as a real one of version 1.36
// has them, without authentication. One thread, that of its loop, which it outlives not. HTTP comes in by
// handle(); the controllers of the pretend world go to verbs() directly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/time.h"
#include "io/loop.h"
#include "sim/exchange.h"
#include "sim/options.h"

namespace joiner::sim {

class Verbs;
class Registry;
class Store;

class ApiServer {
  public:
    ApiServer(io::Loop& loop, ApiServerOptions options);
    ~ApiServer();
    ApiServer(const ApiServer&) = delete;
    ApiServer& operator=(const ApiServer&) = delete;

    void handle(const Request& request, std::shared_ptr<Exchange> exchange);

    Verbs& verbs();
    const Store& store() const;
    const Registry& registry() const;

    // Ends every watch, as a server that is restarted does; with `forget_history` none can go on from where
    // it was.
    void end_watches(bool forget_history);

    // Requests so far, by what they were: "PATCH nodes/status", "WATCH pods".
    const std::map<std::string, std::uint64_t>& request_counts() const;
    std::size_t open_watches() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::sim
