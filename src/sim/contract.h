// The contract that the pretend API server and the real one both keep: the fixture of the tests in
// contract_*_test.cc. Each runs against the ApiServer in the process; again through HttpFront and a real
// socket; and, when JOINER_CONTRACT_KUBECONFIG names a kubeconfig (tests/controlplane/cluster.py writes one,
// with --api-server-only), against that server.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/http.h"
#include "io/loop.h"
#include "kube/config.h"
#include "sim/json.h"

namespace joiner::sim {

// How long a test waits for what is bound to come: a real server beside a build on two cores is slow.
inline constexpr Duration kPatience = std::chrono::seconds{90};

// One API server that a test talks to.
class ServerUnderTest {
  public:
    virtual ~ServerUnderTest() = default;
    virtual io::Loop& loop() = 0;
    virtual io::HttpClient& http() = 0;
    virtual const kube::Config& config() const = 0;
    virtual bool run_until(const std::function<bool()>& is_done, Duration limit) = 0;
    virtual bool is_real() const = 0;
    bool run_for(Duration span) {
        return run_until([] { return false; }, span);
    }
    // Asks every 50 ms, for as long as patience lasts: for what a real server does some time after it
    // answered.
    bool ask_until(const std::function<bool()>& is_so);
};
// "in_process", "http_front", "embedded" (a whole cluster) or "real"; nullptr when the real one is not there.
std::unique_ptr<ServerUnderTest> make_server_under_test(const std::string& which);

struct HttpAnswer {
    int code = 0;
    Json body;
    int retry_after_seconds = 0;

    const std::string& text(Path path) const { return text_at(body, path); }
    // JSON null when it is not there.
    Json at(Path path) const {
        const Json* found = find(body, path);
        return found ? *found : Json(nullptr);
    }
};

// A watch, and what came of it.
class WatchTap {
  public:
    WatchTap(ServerUnderTest& server, const std::string& target);
    ~WatchTap();

    int code = 0;
    std::vector<Json> events;
    bool is_over = false;
    Status end;

    // "ADDED a", "BOOKMARK", in order.
    std::vector<std::string> summary() const;
    bool wait_for(std::size_t count);

  private:
    ServerUnderTest& server_;
    io::RequestId id_ = 0;
    std::string rest_;
};

class ContractTest : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override;
    void TearDown() override;

    HttpAnswer call(std::string method, std::string target, const Json& body = nullptr,
                    std::string_view content_type = "application/json",
                    std::string_view accept = "application/json");
    HttpAnswer get(const std::string& target) { return call("GET", target); }
    HttpAnswer post(const std::string& target, const Json& body) { return call("POST", target, body); }
    HttpAnswer put(const std::string& target, const Json& body) { return call("PUT", target, body); }
    HttpAnswer merge(const std::string& target, const Json& body) {
        return call("PATCH", target, body, "application/merge-patch+json");
    }
    HttpAnswer strategic(const std::string& target, const Json& body) {
        return call("PATCH", target, body, "application/strategic-merge-patch+json");
    }
    HttpAnswer json_patch(const std::string& target, const Json& body) {
        return call("PATCH", target, body, "application/json-patch+json");
    }
    HttpAnswer remove(const std::string& target, const Json& body = nullptr) {
        return call("DELETE", target, body);
    }

    // Paths in this test's own namespace: "/api/v1/namespaces/NS/pods/web".
    std::string core(const std::string& plural, const std::string& name = {},
                     const std::string& subresource = {}) const;
    std::string grouped(const std::string& group_version, const std::string& plural,
                        const std::string& name = {}, const std::string& subresource = {}) const;
    // Cluster-scoped: "/api/v1/nodes/NAME".
    static std::string cluster_path(const std::string& group_version, const std::string& plural,
                                    const std::string& name = {}, const std::string& subresource = {});
    // A name that no other test uses, for cluster-scoped objects; deleted at the end when `path` is given to
    // clean_up().
    std::string unique(const std::string& name) const { return name + "-" + suffix_; }
    void clean_up(std::string path) { to_delete_.push_back(std::move(path)); }

    static Json pod(const std::string& name);
    static Json node(const std::string& name);
    static Json config_map(const std::string& name);
    Json budget(const std::string& name, const Json& labels) const;
    Json node_pool(const std::string& name) const;
    Json node_claim(const std::string& name) const;
    // The custom resources of deploy/crds are served.
    void serve_custom_resources();
    // Names of the items of a list.
    static std::vector<std::string> names(const HttpAnswer& list);
    static std::string version(const HttpAnswer& answer) {
        return answer.text({"metadata", "resourceVersion"});
    }

    std::unique_ptr<ServerUnderTest> server_;
    std::string ns_;
    std::string suffix_;
    std::vector<std::string> to_delete_;
};

// A refusal: this code, this reason, and this text within the message.
void expect_refused(const HttpAnswer& answer, int code, std::string_view reason, std::string_view message,
                    const char* file, int line);
#define EXPECT_REFUSED(answer, code, reason, message) \
    expect_refused(answer, code, reason, message, __FILE__, __LINE__)
#define EXPECT_CODE(answer, wanted)                                                                     \
    do {                                                                                                \
        const HttpAnswer expect_code_answer = (answer);                                                 \
        EXPECT_EQ(expect_code_answer.code, wanted) << to_text(expect_code_answer.body).substr(0, 1000); \
    } while (false)

}  // namespace joiner::sim
