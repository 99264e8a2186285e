#include "kube/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "io/random.h"
#include "kube/base64.h"

namespace joiner::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kWhole = R"(
apiVersion: v1
kind: Config
current-context: dev
clusters:
- name: c1
  cluster:
    server: https://10.0.0.1:6443/
    certificate-authority-data: Q0E=
    tls-server-name: kube.example
    proxy-url: http://proxy:3128
- name: c2
  cluster: {server: "https://c2", insecure-skip-tls-verify: true}
users:
- name: u1
  user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}
- name: u2
  user: {token: abc, username: joe, password: secret}
- name: u3
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: bin/login
      args: [a, "b c", "1"]
      env: [{name: X, value: "1"}]
      provideClusterInfo: true
      interactiveMode: IfAvailable
      installHint: get it
contexts:
- name: dev
  context: {cluster: c1, user: u1, namespace: web}
- name: two
  context: {cluster: c2, user: u2}
- name: three
  context: {cluster: c2, user: u3}
- name: nobody
  context: {cluster: c2}
)";

class Folder {
  public:
    Folder() : path_(std::filesystem::temp_directory_path() / ("joiner-" + std::to_string(io::os_seed()))) {
        std::filesystem::create_directory(path_);
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string path(const std::string& name = "") const {
        return name.empty() ? path_.string() : (path_ / name).string();
    }
    std::string write(const std::string& name, std::string_view text) const {
        std::ofstream(path_ / name) << text;
        return path(name);
    }

  private:
    std::filesystem::path path_;
};

TEST(Kubeconfig, the_current_context_names_server_certificates_and_namespace) {
    const auto config = parse_kubeconfig(kWhole, "/etc/kube", "");
    ASSERT_TRUE(config.has_value()) << config.error().message;
    EXPECT_EQ(config->endpoint->base_url, "https://10.0.0.1:6443");
    EXPECT_EQ(config->endpoint->ca_pem, "CA");
    EXPECT_EQ(config->endpoint->client_certificate_pem, "CERT");
    EXPECT_EQ(config->endpoint->client_key_pem, "KEY");
    EXPECT_EQ(config->endpoint->tls_server_name, "kube.example");
    EXPECT_EQ(config->endpoint->proxy_url, "http://proxy:3128");
    EXPECT_FALSE(config->endpoint->insecure_skip_verify);
    EXPECT_EQ(config->default_namespace, "web");
    EXPECT_FALSE(config->exec.has_value());
}

TEST(Kubeconfig, another_context_may_be_named) {
    const auto config = parse_kubeconfig(kWhole, "", "two");
    ASSERT_TRUE(config.has_value());
    EXPECT_TRUE(config->endpoint->insecure_skip_verify);
    EXPECT_EQ(config->token, "abc");
    EXPECT_EQ(config->endpoint->username, "joe");
    EXPECT_EQ(config->endpoint->password, "secret");
    EXPECT_EQ(config->default_namespace, "default");
    EXPECT_TRUE(parse_kubeconfig(kWhole, "", "nobody").has_value());
}

TEST(Kubeconfig, an_exec_plug_in_is_read_whole) {
    const auto config = parse_kubeconfig(kWhole, "/etc/kube", "three");
    ASSERT_TRUE(config.has_value());
    ASSERT_TRUE(config->exec.has_value());
    EXPECT_EQ(config->exec->command, "/etc/kube/bin/login");
    EXPECT_THAT(config->exec->arguments, ElementsAre("a", "b c", "1"));
    EXPECT_THAT(config->exec->environment, ElementsAre(std::pair<std::string, std::string>{"X", "1"}));
    EXPECT_EQ(config->exec->api_version, "client.authentication.k8s.io/v1beta1");
    EXPECT_TRUE(config->exec->provide_cluster_info);
}

std::string with_user(const std::string& user) {
    return "{current-context: x, clusters: [{name: c, cluster: {server: 'https://s'}}], contexts: [{name: x, "
           "context: "
           "{cluster: c, user: u}}], users: [{name: u, user: " +
           user + "}]}";
}
std::string with_cluster(const std::string& cluster) {
    return "{current-context: x, clusters: [{name: c, cluster: " + cluster +
           "}], contexts: [{name: x, context: {cluster: c}}]}";
}

TEST(Kubeconfig, each_mistake_is_one_sentence_that_names_file_and_field) {
    struct Case {
        std::string text;
        std::string message;
    };
    const std::string v1 = "apiVersion: client.authentication.k8s.io/v1";
    for (const Case& each : {
             Case{"", "holds no clusters and no contexts"},
             Case{"# nothing", "holds no clusters and no contexts"},
             Case{"just text", "not a map of clusters, users and contexts"},
             Case{"a: [1", "not YAML: "},
             Case{"clusters: 7", "clusters is not a list"},
             Case{"clusters: [{cluster: {}}]", "an entry of clusters has no name"},
             Case{"clusters: [{name: c, cluster: 7}]", "cluster \"c\" is not a map"},
             Case{"clusters: [{name: c, cluster: {server: 's'}}]", "current-context is not set"},
             Case{"{current-context: x, clusters: [{name: c}]}",
                  "current-context names context \"x\", which is not there"},
             Case{"{current-context: x, contexts: [{name: x, context: {cluster: a}}]}",
                  "context \"x\" names cluster \"a\", which is not there"},
             Case{"{current-context: x, clusters: [{name: c, cluster: {server: s}}], contexts: [{name: x, "
                  "context: "
                  "{cluster: c, user: joe}}]}",
                  "context \"x\" names user \"joe\", which is not there"},
             Case{with_cluster("{}"), "cluster \"c\": server is not set"},
             Case{with_cluster("{server: [1]}"), "cluster \"c\": server is not a text"},
             Case{with_cluster("{server: s, certificate-authority-data: '!'}"),
                  "cluster \"c\": certificate-authority-data is not base64"},
             Case{with_cluster("{server: s, certificate-authority: /no/ca.crt}"),
                  "cluster \"c\": certificate-authority: /no/ca.crt: No such file or directory"},
             Case{with_cluster("{server: s, insecure-skip-tls-verify: maybe}"),
                  "cluster \"c\": insecure-skip-tls-verify is neither true nor false"},
             Case{with_user("{client-certificate-data: Q0E=}"),
                  "user \"u\": client-certificate and client-key come only together"},
             Case{with_user("{client-key: none.pem}"),
                  "user \"u\": client-key: /etc/kube/none.pem: No such file or directory"},
             Case{with_user("{auth-provider: {name: gcp}}"), "user \"u\": auth-provider is not supported"},
             Case{with_user("{as: root}"), "user \"u\": as is not supported"},
             Case{with_user("{exec: 7}"), "user \"u\": exec is not a map"},
             Case{with_user("{exec: {" + v1 + "}}"), "user \"u\": exec names no command"},
             Case{with_user("{exec: {command: c}}"), "user \"u\": exec has apiVersion \"\""},
             Case{with_user("{exec: {command: c, args: 7, " + v1 + "}}"),
                  "user \"u\": exec: args is not a list"},
             Case{with_user("{exec: {command: c, env: [{name: x}], " + v1 + "}}"),
                  "user \"u\": exec: an entry of env lacks name or value"},
             Case{with_user("{exec: {command: c, interactiveMode: Always, " + v1 + "}}"),
                  "user \"u\": exec wants a terminal"},
         }) {
        const auto config = parse_kubeconfig(each.text, "/etc/kube", "");
        ASSERT_FALSE(config.has_value()) << each.text;
        EXPECT_EQ(config.error().kind, ErrorKind::kInvalid);
        EXPECT_THAT(config.error().message, ::testing::StartsWith("kubeconfig in /etc/kube: ")) << each.text;
        EXPECT_THAT(config.error().message, HasSubstr(each.message)) << each.text;
        EXPECT_EQ(config.error().message.find('\n'), std::string::npos) << each.text;
    }
}

TEST(Kubeconfig, a_server_without_a_scheme_gets_the_one_its_credentials_ask_for) {
    EXPECT_EQ(parse_kubeconfig(with_cluster("{server: 'h:80'}"), "", "")->endpoint->base_url, "http://h:80");
    EXPECT_EQ(parse_kubeconfig(with_cluster("{server: 'h:80', certificate-authority-data: Q0E=}"), "", "")
                  ->endpoint->base_url,
              "https://h:80");
}

TEST(Kubeconfig, paths_are_relative_to_the_file_they_stand_in) {
    const Folder folder;
    folder.write("ca.crt", "THE CA");
    folder.write("token", "tok");
    const std::string file = folder.write("config", R"(
current-context: x
clusters: [{name: c, cluster: {server: "https://s", certificate-authority: ca.crt}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
users: [{name: u, user: {tokenFile: token}}]
)");
    const auto config = load_kubeconfig(file, "");
    ASSERT_TRUE(config.has_value()) << config.error().message;
    EXPECT_EQ(config->endpoint->ca_pem, "THE CA");
    EXPECT_EQ(config->token_file, folder.path("token"));
}

TEST(Kubeconfig, of_several_files_the_first_to_set_a_name_wins) {
    const Folder folder;
    const std::string a = folder.write("a", R"(
contexts: [{name: x, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://first"}}]
)");
    const std::string b = folder.write("b", R"(
current-context: x
contexts: [{name: y, context: {cluster: c}}]
clusters: [{name: c, cluster: {server: "https://second"}}]
users: [{name: u, user: {token: t}}]
)");
    const auto config = load_kubeconfig(a + ":" + folder.path("missing") + ":" + b, "");
    ASSERT_TRUE(config.has_value()) << config.error().message;
    EXPECT_EQ(config->endpoint->base_url, "https://first");
    EXPECT_EQ(config->token, "t");
    const std::string d = folder.write("d", "current-context: y\n");
    EXPECT_EQ(load_kubeconfig(a + ":" + b + ":" + d, "")->token, "t");
    EXPECT_EQ(load_kubeconfig(d + ":" + a + ":" + b, "")->token, "");
    const auto reversed = load_kubeconfig(b + ":" + a, "");
    ASSERT_TRUE(reversed.has_value());
    EXPECT_EQ(reversed->endpoint->base_url, "https://second");
}

TEST(Kubeconfig, an_error_names_the_file_it_is_in) {
    const Folder folder;
    const std::string file = folder.write(
        "config", "{current-context: dev, clusters: [], contexts: [{name: dev, context: {cluster: a}}]}");
    EXPECT_EQ(load_kubeconfig(file, "").error().message,
              "kubeconfig " + file + ": context \"dev\" names cluster \"a\", which is not there");
    EXPECT_EQ(load_kubeconfig(file, "prod").error().message,
              "kubeconfig " + file + ": the command names context \"prod\", which is not there");
    EXPECT_EQ(load_kubeconfig("/no/such", "").error().message,
              "kubeconfig /no/such: No such file or directory");
    EXPECT_EQ(load_kubeconfig("/", "").error().message, "kubeconfig /: Is a directory");
    EXPECT_EQ(load_kubeconfig("", "").error().kind, ErrorKind::kInvalid);
}

class InCluster : public ::testing::Test {
  protected:
    ~InCluster() override {
        unsetenv("KUBERNETES_SERVICE_HOST");
        unsetenv("KUBERNETES_SERVICE_PORT");
    }
    static void set(const char* host, const char* port) {
        setenv("KUBERNETES_SERVICE_HOST", host, 1);
        setenv("KUBERNETES_SERVICE_PORT", port, 1);
    }
    Folder folder;
};

TEST_F(InCluster, the_service_account_is_read) {
    set("10.0.0.1", "443");
    folder.write("token", "t");
    folder.write("ca.crt", "CA");
    folder.write("namespace", "kube-system\n");
    const auto config = load_in_cluster_config(folder.path());
    ASSERT_TRUE(config.has_value()) << config.error().message;
    EXPECT_EQ(config->endpoint->base_url, "https://10.0.0.1:443");
    EXPECT_EQ(config->endpoint->ca_pem, "CA");
    EXPECT_EQ(config->token_file, folder.path("token"));
    EXPECT_EQ(config->default_namespace, "kube-system");
    set("fd00::1", "6443");
    EXPECT_EQ(load_in_cluster_config(folder.path())->endpoint->base_url, "https://[fd00::1]:6443");
}

TEST_F(InCluster, what_is_missing_is_named) {
    EXPECT_THAT(load_in_cluster_config(folder.path()).error().message, HasSubstr("KUBERNETES_SERVICE_HOST"));
    set("10.0.0.1", "443");
    EXPECT_EQ(load_in_cluster_config(folder.path()).error().message,
              "service account: " + folder.path("ca.crt") + ": No such file or directory");
    folder.write("ca.crt", "CA");
    EXPECT_EQ(load_in_cluster_config(folder.path()).error().message,
              "service account: " + folder.path("token") + ": No such file or directory");
}

TEST(Base64, texts_of_every_length_come_back) {
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
        bytes.push_back(static_cast<char>(i * 7));
    }
    EXPECT_EQ(encode_base64("Man"), "TWFu");
    EXPECT_EQ(encode_base64("Ma"), "TWE=");
    EXPECT_EQ(encode_base64("M"), "TQ==");
    EXPECT_EQ(decode_base64("TW\nFu\r\n TQ=="), "ManM");
}

TEST(Base64, what_is_none_is_refused) {
    for (const char* text : {"T", "TQ", "TQ=", "TWE", "TQ==TQ==", "TW!u", "=", "====", "TWFu="}) {
        EXPECT_FALSE(decode_base64(text).has_value()) << text;
    }
}

}  // namespace
}  // namespace joiner::kube
