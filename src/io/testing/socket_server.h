// A server on loopback whose every byte a test decides: each connection is handed to a function on a thread
// of its own. For what no well-behaved server does: silence, broken chunks, sudden ends.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/check.h"

namespace joiner::io::testing {

class Connection {
  public:
    Connection(int fd, int number) : fd_(fd), number_(number) {}
    int number() const { return number_; }  // From 1, in the order they were accepted.

    // The next request with its body (by Content-Length), or empty when the peer has closed.
    std::string read_request() {
        std::string text;
        while (true) {
            const std::size_t end = rest_.find("\r\n\r\n");
            if (end != std::string::npos) {
                const std::size_t total = end + 4 + content_length(rest_.substr(0, end));
                while (rest_.size() < total) {
                    if (!read_more()) return {};
                }
                text = rest_.substr(0, total);
                rest_.erase(0, total);
                return text;
            }
            if (!read_more()) return {};
        }
    }
    void write(std::string_view text) {
        while (!text.empty()) {
            const ssize_t sent = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    void answer(int code, std::string_view body, std::string_view headers = "") {
        write("HTTP/1.1 " + std::to_string(code) + " Some\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n" + std::string(headers) + "\r\n" + std::string(body));
    }
    void start_chunks(int code = 200) {
        write("HTTP/1.1 " + std::to_string(code) + " Some\r\nTransfer-Encoding: chunked\r\n\r\n");
    }
    void chunk(std::string_view data) {
        char size[32];
        snprintf(size, sizeof size, "%zx\r\n", data.size());
        write(std::string(size) + std::string(data) + "\r\n");
    }
    // Waits until the peer has closed.
    void wait_for_end() {
        while (read_more()) {
        }
    }

  private:
    static std::size_t content_length(const std::string& head) {
        const std::size_t at = head.find("Content-Length: ");
        return at == std::string::npos ? 0 : static_cast<std::size_t>(std::atol(head.c_str() + at + 16));
    }
    bool read_more() {
        char buffer[65536];
        const ssize_t count = recv(fd_, buffer, sizeof buffer, 0);
        if (count <= 0) return false;
        rest_.append(buffer, static_cast<std::size_t>(count));
        return true;
    }

    int fd_;
    int number_;
    std::string rest_;
};

class SocketServer {
  public:
    using Serve = std::function<void(Connection&)>;

    explicit SocketServer(Serve serve) : serve_(std::move(serve)) {
        listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(listener_ >= 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        CHECK(listen(listener_, 512) == 0);
        socklen_t size = sizeof address;
        CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port_ = ntohs(address.sin_port);
        acceptor_ = std::thread([this] { accept_all(); });
    }
    // Ends all connections.
    ~SocketServer() {
        stopping_.store(true);
        acceptor_.join();
        {
            const std::lock_guard lock(mutex_);
            for (const int fd : fds_) shutdown(fd, SHUT_RDWR);
        }
        for (std::thread& thread : threads_) thread.join();
        for (const int fd : fds_) close(fd);
        close(listener_);
    }
    SocketServer(const SocketServer&) = delete;
    SocketServer& operator=(const SocketServer&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    int port() const { return port_; }
    int connections() const { return connections_.load(); }

  private:
    void accept_all() {
        while (!stopping_.load()) {
            pollfd waiting{listener_, POLLIN, 0};
            if (poll(&waiting, 1, 10) <= 0) continue;
            const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) continue;
            const int number = ++connections_;
            const std::lock_guard lock(mutex_);
            fds_.push_back(fd);
            threads_.emplace_back([this, fd, number] {
                Connection connection(fd, number);
                serve_(connection);
                shutdown(fd, SHUT_RDWR);
            });
        }
    }

    Serve serve_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<bool> stopping_{false};
    std::atomic<int> connections_{0};
    std::mutex mutex_;
    std::vector<int> fds_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

}  // namespace joiner::io::testing
