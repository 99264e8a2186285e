// CurlHttp's side of TLS, against OpenSSL's own test server with certificates made for the occasion.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "io/curl_http.h"
#include "io/file.h"
#include "io/random.h"

namespace joiner::io {
namespace {

using std::chrono::seconds;

class Folder {
  public:
    Folder() : path_(std::filesystem::temp_directory_path() / ("joiner-tls-" + std::to_string(os_seed()))) {
        std::filesystem::create_directory(path_);
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string path(const std::string& name) const { return (path_ / name).string(); }
    std::string read(const std::string& name) const { return read_file(path(name)).value_or(""); }

  private:
    std::filesystem::path path_;
};

void shell(const std::string& command) {
    ASSERT_EQ(std::system((command + " >/dev/null 2>&1").c_str()), 0) << command;
}

// `openssl s_server` on a port of its choice, answering every request with a page about the connection.
class TlsServer {
  public:
    explicit TlsServer(std::vector<std::string> arguments) {
        int pipe_ends[2];
        CHECK(pipe2(pipe_ends, O_CLOEXEC) == 0);
        std::vector<std::string> words{"openssl", "s_server", "-accept", "127.0.0.1:0",
                                       "-www",    "-naccept", "20"};
        words.insert(words.end(), arguments.begin(), arguments.end());
        std::vector<char*> pointers;
        for (std::string& word : words) pointers.push_back(word.data());
        pointers.push_back(nullptr);
        pid_ = fork();
        if (pid_ == 0) {
            dup2(pipe_ends[1], STDOUT_FILENO);
            dup2(open("/dev/null", O_RDWR), STDERR_FILENO);
            execvp(pointers[0], pointers.data());
            _exit(127);
        }
        close(pipe_ends[1]);
        output_ = fdopen(pipe_ends[0], "r");
        char line[512];
        while (port_ == 0 && fgets(line, sizeof line, output_) != nullptr) {
            const std::string text = line;
            if (text.starts_with("ACCEPT ")) port_ = std::atoi(text.c_str() + text.rfind(':') + 1);
        }
    }
    ~TlsServer() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        fclose(output_);
    }
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;
    int port() const { return port_; }

  private:
    pid_t pid_ = 0;
    FILE* output_ = nullptr;
    int port_ = 0;
};

class CurlTlsTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        folder = std::make_unique<Folder>();
        make_authority("ca");
        make_authority("other");
        make_certificate("server", "ca", "subjectAltName=DNS:kube.example");
        make_certificate("local", "ca", "subjectAltName=IP:127.0.0.1");
        make_certificate("client", "ca", "extendedKeyUsage=clientAuth");
    }
    static void TearDownTestSuite() { folder.reset(); }

    static void make_authority(const std::string& name) {
        shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=" +
              name + " -keyout " + folder->path(name + ".key") + " -out " + folder->path(name + ".crt"));
    }
    static void make_certificate(const std::string& name, const std::string& authority,
                                 const std::string& extension) {
        const std::string base = folder->path(name);
        shell("openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=" + name +
              " -keyout " + base + ".key -out " + base + ".csr && echo '" + extension + "' > " + base +
              ".ext && openssl x509 -req -days 2 -in " + base + ".csr -CA " +
              folder->path(authority + ".crt") + " -CAkey " + folder->path(authority + ".key") +
              " -CAcreateserial -extfile " + base + ".ext -out " + base + ".crt");
    }
    static std::vector<std::string> certificate(const std::string& name) {
        return {"-cert", folder->path(name + ".crt"), "-key", folder->path(name + ".key")};
    }

    HttpResult fetch(const TlsServer& server, Endpoint endpoint) {
        endpoint.base_url = "https://127.0.0.1:" + std::to_string(server.port());
        HttpRequest request;
        request.endpoint = std::make_shared<Endpoint>(std::move(endpoint));
        request.target = "/";
        std::optional<HttpResult> answer;
        RealLoop loop;
        CurlHttp http(loop);
        http.send(request, [&](HttpResult result) {
            answer = std::move(result);
            loop.stop();
        });
        loop.after(seconds{20}, [&] { loop.stop(); });
        loop.run();
        if (!answer) return fail(ErrorKind::kInternal, "the test hung");
        return std::move(*answer);
    }

    static std::unique_ptr<Folder> folder;
};
std::unique_ptr<Folder> CurlTlsTest::folder;

TEST_F(CurlTlsTest, a_server_of_the_trusted_authority_is_believed_and_another_is_not) {
    const TlsServer server(certificate("local"));
    const auto answer = fetch(server, {.ca_pem = folder->read("ca.crt")});
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_EQ(answer->code, 200);
    const auto refused = fetch(server, {.ca_pem = folder->read("other.crt")});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
    EXPECT_FALSE(refused.error().was_sent) << refused.error().message;
    EXPECT_FALSE(fetch(server, {}).has_value()) << "the system's authorities know ours";
}

// The machine's folder of authorities, replaced for this test by one of ours, in a view of the files of its
// own.
TEST_F(CurlTlsTest, where_an_authority_is_given_the_machines_folder_is_not_trusted_beside_it) {
    const std::string ours = folder->path("machine");
    // curl finds an authority there by the hash of its name.
    shell("mkdir " + ours + " && cp " + folder->path("ca.crt") + " " + ours +
          "/$(openssl x509 -hash -noout -in " + folder->path("ca.crt") + ").0 && cp " +
          folder->path("other.crt") + " " + ours + "/ca-certificates.crt");
    constexpr const char* kMachines = "/etc/ssl/certs";
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount(ours.c_str(), kMachines, nullptr, MS_BIND, nullptr) != 0)
        GTEST_SKIP() << "needs the right to mount";
    const TlsServer server(certificate("local"));
    EXPECT_TRUE(fetch(server, {}).has_value()) << "nothing else is given, so the machine's are trusted";
    EXPECT_FALSE(fetch(server, {.ca_pem = folder->read("other.crt")}).has_value());
    ASSERT_EQ(umount(kMachines), 0);
}

TEST_F(CurlTlsTest, a_certificate_for_another_name_is_refused_unless_that_name_is_expected) {
    const TlsServer server(certificate("server"));
    EXPECT_FALSE(fetch(server, {.ca_pem = folder->read("ca.crt")}).has_value());
    const auto named = fetch(server, {.ca_pem = folder->read("ca.crt"), .tls_server_name = "kube.example"});
    ASSERT_TRUE(named.has_value()) << named.error().message;
    EXPECT_FALSE(
        fetch(server, {.ca_pem = folder->read("ca.crt"), .tls_server_name = "other.example"}).has_value());
}

TEST_F(CurlTlsTest, verification_can_be_switched_off) {
    const TlsServer server(certificate("server"));
    EXPECT_TRUE(fetch(server, {.insecure_skip_verify = true}).has_value());
}

TEST_F(CurlTlsTest, a_client_certificate_is_shown_when_there_is_one) {
    std::vector<std::string> arguments = certificate("local");
    for (const std::string& word : {std::string("-CAfile"), folder->path("ca.crt"), std::string("-Verify"),
                                    std::string("1"), std::string("-verify_return_error")}) {
        arguments.push_back(word);
    }
    const TlsServer server(arguments);
    Endpoint endpoint{.ca_pem = folder->read("ca.crt")};
    EXPECT_FALSE(fetch(server, endpoint).has_value());
    endpoint.client_certificate_pem = folder->read("client.crt");
    endpoint.client_key_pem = folder->read("client.key");
    const auto answer = fetch(server, endpoint);
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_EQ(answer->code, 200);
}

TEST_F(CurlTlsTest, certificates_that_are_none_are_the_inputs_fault) {
    const TlsServer server(certificate("local"));
    EXPECT_EQ(fetch(server, {.ca_pem = "not a certificate"}).error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(
        fetch(server,
              {.ca_pem = folder->read("ca.crt"), .client_certificate_pem = "no", .client_key_pem = "no"})
            .error()
            .kind,
        ErrorKind::kInvalid);
}

}  // namespace
}  // namespace joiner::io
