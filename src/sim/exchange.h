// One HTTP request and the way its answer goes back, without saying what carries them. Loop thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace joiner::sim {

struct Request {
    std::string method;
    std::string target;  // Path and query.
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    // Of the first header with this name, in any case; empty when there is none.
    std::string_view header(std::string_view name) const;
};

struct Reply {
    int code = 200;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

// The server calls either reply() once, or start() once, chunk() any number of times and end() at most once.
class Exchange {
  public:
    virtual ~Exchange() = default;
    virtual void reply(Reply reply) = 0;
    virtual void start(int code, std::string content_type) = 0;
    virtual void chunk(std::shared_ptr<const std::string> text) = 0;
    virtual void end() = 0;
    // The other side has gone, and nothing more is wanted.
    virtual bool is_closed() const = 0;
};

}  // namespace joiner::sim
