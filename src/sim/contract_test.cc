// The servers under test and the fixture; the checks stand in contract_*_test.cc.
#include "sim/contract.h"

#include <fmt/format.h>

#include <cstdlib>
#include <set>

#include "api/manifest.h"
#include "base/rng.h"
#include "embedded_crds.h"
#include "io/curl_http.h"
#include "io/random.h"
#include "io/real_loop.h"
#include "sim/api_server.h"
#include "sim/cluster.h"
#include "sim/http_front.h"
#include "sim/in_process_http.h"
#include "sim/virtual_loop.h"

namespace joiner::sim {
namespace {

class InProcessServer final : public ServerUnderTest {
  public:
    InProcessServer() : api_(loop_, {}), http_(loop_, api_, {}) {
        auto endpoint = std::make_shared<io::Endpoint>();
        endpoint->base_url = "http://in-process";
        config_.endpoint = std::move(endpoint);
    }
    io::Loop& loop() override { return loop_; }
    io::HttpClient& http() override { return http_; }
    const kube::Config& config() const override { return config_; }
    bool run_until(const std::function<bool()>& is_done, Duration limit) override {
        return loop_.run_until(is_done, limit);
    }
    bool is_real() const override { return false; }

  private:
    VirtualLoop loop_;
    ApiServer api_;
    InProcessHttp http_;
    kube::Config config_;
};

// Anything with a socket: the loop really runs, and is stopped when the condition holds.
class SocketServer : public ServerUnderTest {
  public:
    io::Loop& loop() override { return loop_; }
    io::HttpClient& http() override { return *http_; }
    const kube::Config& config() const override { return config_; }
    bool run_until(const std::function<bool()>& is_done, Duration limit) override {
        if (is_done()) return true;
        const Duration end = loop_.monotonic() + limit;
        bool is_met = false;
        std::function<void()> look = [&] {
            is_met = is_done();
            if (is_met || loop_.monotonic() >= end) return loop_.stop();
            loop_.after(std::chrono::milliseconds{1}, look);
        };
        loop_.after(Duration{0}, look);
        loop_.run();
        return is_met;
    }

  protected:
    io::RealLoop loop_;
    std::unique_ptr<io::CurlHttp> http_ = std::make_unique<io::CurlHttp>(loop_);
    kube::Config config_;
};

class FrontServer final : public SocketServer {
  public:
    FrontServer() : api_(loop_, {}) {
        auto front = HttpFront::listen(loop_, api_, 0);
        if (!front) throw std::runtime_error(front.error().message);
        front_ = std::move(*front);
        auto endpoint = std::make_shared<io::Endpoint>();
        endpoint->base_url = front_->url();
        config_.endpoint = std::move(endpoint);
    }
    ~FrontServer() override { http_.reset(); }  // Its connections would hold up the front.
    bool is_real() const override { return false; }

  private:
    ApiServer api_;
    std::unique_ptr<HttpFront> front_;
};

// With scheduler, controllers and kubelets.
class EmbeddedCluster final : public ServerUnderTest {
  public:
    EmbeddedCluster() : config_(cluster_.config()) {}
    io::Loop& loop() override { return cluster_.loop(); }
    io::HttpClient& http() override { return cluster_.http(); }
    const kube::Config& config() const override { return config_; }
    bool run_until(const std::function<bool()>& is_done, Duration limit) override {
        return cluster_.run_until(is_done, limit);
    }
    bool is_real() const override { return false; }

  private:
    Cluster cluster_;
    kube::Config config_;
};

class RealServer final : public SocketServer {
  public:
    explicit RealServer(kube::Config config) { config_ = std::move(config); }
    bool is_real() const override { return true; }
};

}  // namespace

std::unique_ptr<ServerUnderTest> make_server_under_test(const std::string& which) {
    if (which == "in_process") return std::make_unique<InProcessServer>();
    if (which == "http_front") return std::make_unique<FrontServer>();
    if (which == "embedded") return std::make_unique<EmbeddedCluster>();
    const char* kubeconfig = std::getenv("JOINER_CONTRACT_KUBECONFIG");
    if (!kubeconfig) return nullptr;
    auto config = kube::load_kubeconfig(kubeconfig, "");
    if (!config) throw std::runtime_error(config.error().message);
    return std::make_unique<RealServer>(std::move(*config));
}

INSTANTIATE_TEST_SUITE_P(On, ContractTest, testing::Values("in_process", "http_front", "real"),
                         [](const auto& each) { return each.param; });

// --- WatchTap

WatchTap::WatchTap(ServerUnderTest& server, const std::string& target) : server_(server) {
    io::HttpRequest request;
    request.endpoint = server.config().endpoint;
    request.target = target;
    request.timeout = Duration{0};
    request.headers = {{"Accept", "application/json"}};
    if (!server.config().token.empty())
        request.headers.emplace_back("Authorization", "Bearer " + server.config().token);
    io::StreamHandlers handlers;
    handlers.on_start = [this](int status) { code = status; };
    handlers.on_data = [this](std::string_view data) {
        rest_ += data;
        for (std::size_t line = rest_.find('\n'); line != std::string::npos; line = rest_.find('\n')) {
            if (auto event = parse_json(std::string_view(rest_).substr(0, line)))
                events.push_back(std::move(*event));
            rest_.erase(0, line + 1);
        }
    };
    handlers.on_end = [this](Status status) {
        end = std::move(status);
        is_over = true;
    };
    id_ = server.http().stream(std::move(request), std::move(handlers));
}

WatchTap::~WatchTap() {
    server_.http().cancel(id_);
}

bool ServerUnderTest::ask_until(const std::function<bool()>& is_so) {
    const Duration end = loop().monotonic() + kPatience;
    while (!is_so()) {
        if (loop().monotonic() >= end) return false;
        run_for(std::chrono::milliseconds{50});
    }
    return true;
}

std::vector<std::string> WatchTap::summary() const {
    std::vector<std::string> lines;
    for (const Json& event : events) {
        const std::string& name = text_at(event, {"object", "metadata", "name"});
        lines.push_back(text_at(event, {"type"}) + (name.empty() ? "" : " " + name));
    }
    return lines;
}

bool WatchTap::wait_for(std::size_t count) {
    return server_.run_until([&] { return events.size() >= count || is_over; }, kPatience) &&
           events.size() >= count;
}

// --- ContractTest

void ContractTest::SetUp() {
    server_ = make_server_under_test(GetParam());
    if (!server_) GTEST_SKIP() << "JOINER_CONTRACT_KUBECONFIG names no server";
    static Rng names(io::os_seed());
    suffix_ = fmt::format("{:08x}", names.next() & 0xffffffff);
    ns_ = "contract-" + suffix_;
    EXPECT_CODE(post("/api/v1/namespaces", {{"metadata", {{"name", ns_}}}}), 201);
}

void ContractTest::TearDown() {
    if (!server_ || !server_->is_real()) return;
    for (const std::string& path : to_delete_) remove(path, {{"gracePeriodSeconds", 0}});
    remove("/api/v1/namespaces/" + ns_);
}

HttpAnswer ContractTest::call(std::string method, std::string target, const Json& body,
                              std::string_view content_type, std::string_view accept) {
    io::HttpRequest request;
    request.endpoint = server_->config().endpoint;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers = {{"Accept", std::string(accept)}};
    if (!body.is_null()) {
        request.headers.emplace_back("Content-Type", std::string(content_type));
        request.body = body.is_string() ? body.get<std::string>() : to_text(body);
    }
    if (!server_->config().token.empty())
        request.headers.emplace_back("Authorization", "Bearer " + server_->config().token);
    std::optional<Result<io::HttpResponse>> result;
    server_->http().send(std::move(request),
                         [&result](Result<io::HttpResponse> answer) { result = std::move(answer); });
    EXPECT_TRUE(server_->run_until([&] { return result.has_value(); }, kPatience));
    HttpAnswer answer;
    if (!result || !*result) {
        ADD_FAILURE() << (result ? result->error().message : "no answer");
        return answer;
    }
    answer.code = (*result)->code;
    answer.retry_after_seconds = (*result)->retry_after_seconds;
    answer.body = parse_json((*result)->body).value_or(Json((*result)->body));
    return answer;
}

namespace {
std::string join_path(std::string base, const std::string& plural, const std::string& name,
                      const std::string& subresource) {
    base += "/" + plural;
    if (!name.empty()) base += "/" + name;
    if (!subresource.empty()) base += "/" + subresource;
    return base;
}
}  // namespace

std::string ContractTest::core(const std::string& plural, const std::string& name,
                               const std::string& subresource) const {
    return join_path("/api/v1/namespaces/" + ns_, plural, name, subresource);
}
std::string ContractTest::grouped(const std::string& group_version, const std::string& plural,
                                  const std::string& name, const std::string& subresource) const {
    return join_path("/apis/" + group_version + "/namespaces/" + ns_, plural, name, subresource);
}
std::string ContractTest::cluster_path(const std::string& group_version, const std::string& plural,
                                       const std::string& name, const std::string& subresource) {
    return join_path(group_version == "v1" ? "/api/v1" : "/apis/" + group_version, plural, name, subresource);
}

Json ContractTest::pod(const std::string& name) {
    return {{"metadata", {{"name", name}}},
            {"spec",
             {{"schedulerName", "nobody"},
              {"containers", Json::array({{{"name", "main"}, {"image", "pause:3"}}})}}}};
}
Json ContractTest::node(const std::string& name) {
    const Json amounts = {{"cpu", "4"}, {"memory", "8Gi"}, {"pods", "10"}};
    return {{"metadata", {{"name", name}}}, {"status", {{"capacity", amounts}, {"allocatable", amounts}}}};
}
Json ContractTest::config_map(const std::string& name) {
    return {{"metadata", {{"name", name}}}, {"data", {{"a", "1"}}}};
}
Json ContractTest::budget(const std::string& name, const Json& labels) const {
    return {{"metadata", {{"name", name}}},
            {"spec", {{"minAvailable", 1}, {"selector", {{"matchLabels", labels}}}}}};
}
Json ContractTest::node_pool(const std::string& name) const {
    const Json reference = {{"group", "karpenter.kwok.sh"}, {"kind", "KWOKNodeClass"}, {"name", "default"}};
    return {
        {"apiVersion", "karpenter.sh/v1"},
        {"kind", "NodePool"},
        {"metadata", {{"name", name}}},
        {"spec", {{"template", {{"spec", {{"nodeClassRef", reference}, {"requirements", Json::array()}}}}}}}};
}
Json ContractTest::node_claim(const std::string& name) const {
    Json claim = {{"apiVersion", "karpenter.sh/v1"}, {"kind", "NodeClaim"}, {"metadata", {{"name", name}}}};
    claim["spec"] = node_pool(name)["spec"]["template"]["spec"];
    return claim;
}

void ContractTest::serve_custom_resources() {
    const std::string definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    for (const auto& file : embedded::crds()) {
        const auto documents = api::split_manifest(file.text, std::string(file.name));
        ASSERT_TRUE(documents);
        for (const auto& document : *documents) {
            const auto json = parse_json(document.json);
            const HttpAnswer made = post(definitions, *json);
            ASSERT_TRUE(made.code == 201 || made.code == 409) << to_text(made.body);
            const std::string made_path = definitions + "/" + name_of(*json);
            ASSERT_TRUE(server_->ask_until([&] {
                return is_condition_true(get(made_path).body, "Established");
            })) << name_of(*json);
        }
    }
    // A real server takes a moment more until the new paths are there, also to write to.
    for (const char* path : {"/apis/karpenter.sh/v1/nodepools", "/apis/karpenter.sh/v1/nodeclaims"}) {
        ASSERT_TRUE(server_->ask_until([&] { return get(path).code == 200; })) << path;
    }
}

std::vector<std::string> ContractTest::names(const HttpAnswer& list) {
    std::vector<std::string> names;
    for (const Json& item : array_at(list.body, {"items"})) names.push_back(name_of(item));
    return names;
}

void expect_refused(const HttpAnswer& answer, int code, std::string_view reason, std::string_view message,
                    const char* file, int line) {
    const testing::ScopedTrace trace(file, line, to_text(answer.body).substr(0, 2000));
    EXPECT_EQ(answer.code, code);
    EXPECT_EQ(answer.text({"kind"}), "Status");
    EXPECT_EQ(answer.text({"status"}), "Failure");
    EXPECT_EQ(answer.text({"reason"}), reason);
    EXPECT_EQ(int_at(answer.body, {"code"}), code);
    EXPECT_NE(answer.text({"message"}).find(message), std::string::npos) << answer.text({"message"});
}

}  // namespace joiner::sim
