#include "cli/cluster_calls.h"

#include <utility>

namespace joiner::cli {
namespace {

constexpr Duration kPatienceWithServer = std::chrono::seconds{60};

kube::ClientOptions options_for(ClusterCalls::Writes writes) {
    kube::ClientOptions out;
    if (writes == ClusterCalls::Writes::kNone) out.may_write = [] { return false; };
    return out;
}

}  // namespace

ClusterCalls::ClusterCalls(kube::Config config, Writes writes)
    : client_(loop_, http_, std::move(config), options_for(writes)) {}

Result<std::string> ClusterCalls::get(const std::string& path_and_query) {
    const std::size_t mark = path_and_query.find('?');
    kube::Request request{"GET", path_and_query.substr(0, mark),
                          mark == std::string::npos ? "" : path_and_query.substr(mark + 1)};
    request.accept_gzip = true;
    return call(std::move(request));
}

Result<std::string> ClusterCalls::patch(const std::string& path, kube::PatchType type, std::string body) {
    kube::Request request{"PATCH", path, "", std::move(body)};
    request.content_type =
        type == kube::PatchType::kJson ? "application/json-patch+json" : "application/merge-patch+json";
    return call(std::move(request));
}

Result<std::string> ClusterCalls::remove(const std::string& path) {
    return call({"DELETE", path, "", R"({"propagationPolicy":"Background"})"});
}

void ClusterCalls::wait(Duration time) {
    loop_.after(time, [this] { loop_.stop(); });
    loop_.run();
}

Result<std::string> ClusterCalls::call(kube::Request request) {
    Result<std::string> out = fail(ErrorKind::kUnavailable, "the API server gave no answer");
    request.timeout = kPatienceWithServer;
    client_.send(std::move(request), [&](Result<std::string> answer) {
        out = std::move(answer);
        loop_.stop();
    });
    loop_.run();
    return out;
}

}  // namespace joiner::cli
