#include "observe/http_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>

namespace joiner::observe {
namespace {

template <typename Address>
std::string get(const Address& address, int family) {
    const int fd = socket(family, SOCK_STREAM, 0);
    if (fd < 0) return "no such family";
    std::string out;
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        out = std::strerror(errno);
    } else {
        const std::string request = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        EXPECT_EQ(write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
        char buffer[1024];
        for (ssize_t n = 0; (n = read(fd, buffer, sizeof buffer)) > 0;)
            out.append(buffer, static_cast<std::size_t>(n));
    }
    close(fd);
    return out;
}

std::string get_by_ipv4(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return get(address, AF_INET);
}

std::string get_by_ipv6(int port) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(static_cast<std::uint16_t>(port));
    address.sin6_addr = in6addr_loopback;
    return get(address, AF_INET6);
}

bool has_ipv6() {
    const int fd = socket(AF_INET6, SOCK_STREAM, 0);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    const bool can_bind = fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    if (fd >= 0) close(fd);
    return can_bind;
}

std::map<std::string, std::function<Page()>> pages() {
    return {{"/healthz", [] { return Page{200, "text/plain", "well"}; }}};
}

TEST(HttpServer, answers_by_ipv4_and_where_there_is_ipv6_by_that) {
    const auto server = HttpServer::start(0, pages());
    ASSERT_TRUE(server) << server.error().message;
    EXPECT_TRUE(get_by_ipv4((*server)->port()).ends_with("well"));
    if (has_ipv6()) {
        EXPECT_TRUE(get_by_ipv6((*server)->port()).ends_with("well"));
    }
}

TEST(HttpServer, what_is_local_is_open_to_this_machine_alone) {
    const auto server = HttpServer::start({.port = 0, .is_local = true},
                                          {{"/healthz", [](const Question& question) {
                                                return Page{200, "text/plain", "well, " + question.host};
                                            }}});
    ASSERT_TRUE(server) << server.error().message;
    EXPECT_TRUE(get_by_ipv4((*server)->port()).ends_with("well, x"));
    if (has_ipv6()) {
        EXPECT_FALSE(get_by_ipv6((*server)->port()).ends_with("well, x"));
    }
}

TEST(HttpServer, a_shared_body_and_headers_go_out_as_they_are) {
    const auto body = std::make_shared<const std::string>(5000, 'x');
    Page page{200, "application/json", ""};
    page.shared_body = body;
    page.headers = {{"ETag", "W/\"1\""}};
    const auto server = HttpServer::start({.port = 0, .is_local = true},
                                          {{"/healthz", [page](const Question&) { return page; }}});
    ASSERT_TRUE(server) << server.error().message;
    const std::string answer = get_by_ipv4((*server)->port());
    EXPECT_TRUE(answer.ends_with("\r\n\r\n" + *body));
    EXPECT_NE(answer.find("ETag: W/\"1\"\r\n"), std::string::npos);
}

TEST(HttpServer, a_port_that_is_taken_is_refused_by_name) {
    const auto server = HttpServer::start(0, pages());
    ASSERT_TRUE(server);
    const int port = (*server)->port();
    const auto second = HttpServer::start(port, pages());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().message,
              fmt::format("port {} cannot be opened; is another controller running?", port));
}

}  // namespace
}  // namespace joiner::observe
