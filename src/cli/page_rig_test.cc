// The page as a browser asks for it: the whole controller in the pretend world, on real time, behind a real
// socket.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "cloud/kwok/aws_catalogue.h"
#include "control/controller.h"
#include "io/real_loop.h"
#include "observe/metrics.h"
#include "sim/cluster.h"
#include "sim/samples.h"

namespace joiner {
namespace {

using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

// The pretend API server knows no reviews: the token "good" is jane's, who may; "poor" is joe's, who may not.
class ReviewingHttp final : public io::HttpClient {
  public:
    ReviewingHttp(io::Loop& loop, io::HttpClient& inner) : loop_(loop), inner_(inner) {}

    io::RequestId send(io::HttpRequest request, std::function<void(io::HttpResult)> done) override {
        const bool is_token = request.target.ends_with("/tokenreviews");
        if (!is_token && !request.target.ends_with("/subjectaccessreviews"))
            return inner_.send(std::move(request), std::move(done));
        ++reviews;
        const Json spec = Json::parse(request.body)["spec"];
        Json status;
        if (is_token) {
            const std::string token = spec["token"];
            status["authenticated"] = token == "good" || token == "poor";
            status["user"]["username"] = token == "good" ? "jane" : "joe";
        } else {
            status["allowed"] = spec["user"] == "jane";
        }
        loop_.post([done = std::move(done), body = Json{{"status", status}}.dump()] {
            io::HttpResponse out;
            out.code = 201;
            out.body = body;
            done(out);
        });
        return 0;
    }
    io::RequestId stream(io::HttpRequest request, io::StreamHandlers handlers) override {
        return inner_.stream(std::move(request), std::move(handlers));
    }
    void cancel(io::RequestId id) override { inner_.cancel(id); }

    int reviews = 0;

  private:
    io::Loop& loop_;
    io::HttpClient& inner_;
};

std::string page_exchange(int port, const std::string& request) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string out;
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
        char buffer[4096];
        for (ssize_t n = 0; (n = read(fd, buffer, sizeof buffer)) > 0;)
            out.append(buffer, static_cast<std::size_t>(n));
    }
    close(fd);
    return out;
}

class PageRig : public testing::Test {
  protected:
    void serve(bool without_token) {
        control::Options options;
        options.leader_election = false;
        controller_ = std::make_unique<control::Controller>(loop_, http_, world_.config(), options,
                                                            control::provider_list(cloud::kwok::aws_types()),
                                                            metrics_, Rng(1));
        const auto port = controller_->serve_page({.port = 0, .without_token = without_token});
        ASSERT_TRUE(port) << port.error().message;
        port_ = *port;
        controller_->start([] {});
    }
    // The whole answer; the loop runs meanwhile.
    std::string get(const std::string& path, const std::string& headers = "",
                    const std::string& host = "localhost") {
        std::string out;
        std::thread browser([&] {
            out =
                page_exchange(port_, fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}\r\n",
                                                 path, host, headers));
            loop_.stop();
        });
        loop_.run();
        browser.join();
        return out;
    }
    static std::string body_of(const std::string& answer) {
        return answer.substr(answer.find("\r\n\r\n") + 4);
    }
    static std::string header_of(const std::string& answer, const std::string& name) {
        const std::size_t at = answer.find("\r\n" + name + ": ");
        if (at == std::string::npos) return "";
        const std::size_t begin = at + name.size() + 4;
        return answer.substr(begin, answer.find("\r\n", begin) - begin);
    }

    io::RealLoop loop_;
    sim::Cluster world_{loop_, {}};
    ReviewingHttp http_{loop_, world_.http()};
    observe::Metrics metrics_;
    std::unique_ptr<control::Controller> controller_;
    int port_ = 0;
};

TEST_F(PageRig, the_html_allows_nothing_from_outside) {
    serve(true);
    const std::string answer = get("/page");
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 200"));
    const std::string policy = header_of(answer, "Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("default-src 'none'; script-src 'sha256-"));
    EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
    EXPECT_THAT(policy, Not(HasSubstr("http")));
    EXPECT_THAT(body_of(answer), Not(HasSubstr("innerHTML")));
}

TEST_F(PageRig, without_a_token_only_this_machine_is_answered_by_its_own_name) {
    serve(true);
    EXPECT_THAT(get("/page/state.json"), HasSubstr("HTTP/1.1 200"));
    EXPECT_THAT(get("/page/state.json", "", "127.0.0.1:1234"), HasSubstr("HTTP/1.1 200"));
    const std::string refused = get("/page/state.json", "", "evil.example:80");
    EXPECT_THAT(refused, HasSubstr("HTTP/1.1 403"));
    EXPECT_THAT(Json::parse(body_of(refused))["error"].get<std::string>(), HasSubstr("localhost"));
    EXPECT_EQ(http_.reviews, 0);
}

TEST_F(PageRig, a_token_is_reviewed_once_a_minute) {
    serve(false);
    const std::string none = get("/page/state.json");
    EXPECT_THAT(none, HasSubstr("HTTP/1.1 401"));
    EXPECT_EQ(header_of(none, "WWW-Authenticate"), "Bearer");
    EXPECT_THAT(get("/page/state.json", "Authorization: Basic good\r\n"), HasSubstr("HTTP/1.1 401"));
    EXPECT_THAT(get("/page/state.json", "Authorization: Bearer bad\r\n"), HasSubstr("HTTP/1.1 401"));
    EXPECT_THAT(get("/page/node.json?name=x", "Authorization: Bearer poor\r\n"), HasSubstr("HTTP/1.1 403"));
    http_.reviews = 0;
    for (int i = 0; i < 3; ++i)
        EXPECT_THAT(get("/page/state.json", "Authorization: Bearer good\r\n"), HasSubstr("HTTP/1.1 200"));
    EXPECT_EQ(http_.reviews, 2) << "who it is, and what it may";
    EXPECT_THAT(get("/page"), HasSubstr("HTTP/1.1 200")) << "the page itself says nothing of the cluster";
}

TEST_F(PageRig, what_has_not_changed_is_not_sent_again) {
    serve(true);
    const std::string first = get("/page/history.json");
    const std::string tag = header_of(first, "ETag");
    ASSERT_FALSE(tag.empty());
    const std::string second = get("/page/history.json", "If-None-Match: " + tag + "\r\n");
    EXPECT_THAT(second, HasSubstr("HTTP/1.1 304"));
    EXPECT_EQ(body_of(second), "");
    EXPECT_THAT(get("/page/history.json", "If-None-Match: W/\"other\"\r\n"), HasSubstr("HTTP/1.1 200"));
}

TEST_F(PageRig, a_large_text_is_compressed_for_who_can_read_it) {
    serve(true);
    ASSERT_TRUE(world_.apply(sim::node_class() + sim::node_pool({})));
    ASSERT_TRUE(world_.apply(sim::deployment("web", 40, "1", {})));
    std::string plain;
    // The state is made once a second at most.
    for (int i = 0; i < 400 && plain.size() < 3000; ++i) {
        plain = get("/page/state.json", "Accept-Encoding: identity\r\n");
        loop_.after(std::chrono::milliseconds{50}, [this] { loop_.stop(); });
        loop_.run();
    }
    ASSERT_GE(plain.size(), 3000u);
    EXPECT_EQ(header_of(plain, "Content-Encoding"), "");
    const std::string small = get("/page/state.json", "Accept-Encoding: br, gzip\r\n");
    EXPECT_EQ(header_of(small, "Content-Encoding"), "gzip");
    EXPECT_EQ(body_of(small).substr(0, 2), "\x1f\x8b");
    EXPECT_LT(body_of(small).size() * 2, plain.size());
}

TEST_F(PageRig, a_node_that_is_not_there_is_said) {
    serve(true);
    EXPECT_THAT(get("/page/node.json?name=nobody"), HasSubstr("HTTP/1.1 404"));
    EXPECT_THAT(get("/page/node.json"), HasSubstr("HTTP/1.1 400"));
}

TEST_F(PageRig, a_port_in_use_is_refused) {
    serve(true);
    control::Controller second(loop_, http_, world_.config(), {},
                               control::provider_list(cloud::kwok::aws_types()), metrics_, Rng(2));
    const auto refused = second.serve_page({.port = port_, .without_token = true});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr(fmt::format("port {} cannot be opened", port_)));
}

}  // namespace
}  // namespace joiner
