// Calls to one API server that wait for their answers, for commands that do one thing after another. One
// owner, one thread.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"
#include "io/curl_http.h"
#include "io/real_loop.h"
#include "kube/client.h"

namespace joiner::cli {

class ClusterCalls {
  public:
    enum class Writes { kNone, kAllowed };
    ClusterCalls(kube::Config config, Writes writes);

    // Errors are the client's (kube/client.h); all answers are bodies.
    Result<std::string> get(const std::string& path_and_query);
    Result<std::string> patch(const std::string& path, kube::PatchType type, std::string body);
    Result<std::string> remove(const std::string& path);

    WallTime now() { return loop_.now(); }
    void wait(Duration time);

  private:
    Result<std::string> call(kube::Request request);

    io::RealLoop loop_;
    io::CurlHttp http_{loop_};
    kube::Client client_;
};

}  // namespace joiner::cli
