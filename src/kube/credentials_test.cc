#include "kube/credentials.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace joiner::kube {
namespace {

using ::testing::HasSubstr;
constexpr std::string_view kV1 = "client.authentication.k8s.io/v1";

std::string credential(std::string_view status) {
    return fmt::format(R"({{"apiVersion":"{}","kind":"ExecCredential","status":{}}})", kV1, status);
}

TEST(ExecCredential, token_certificate_and_expiry_are_read) {
    const auto read = parse_exec_credential(
        credential(
            R"({"token":" t\n","clientCertificateData":"C","clientKeyData":"K","expirationTimestamp":"2026-01-02T03:04:05Z"})"),
        kV1);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->token, "t");
    EXPECT_EQ(read->client_certificate_pem, "C");
    EXPECT_EQ(read->client_key_pem, "K");
    EXPECT_EQ(format_rfc3339(*read->expires_at), "2026-01-02T03:04:05Z");
}

TEST(ExecCredential, without_an_expiry_it_does_not_run_out) {
    EXPECT_FALSE(parse_exec_credential(credential(R"({"token":"t"})"), kV1)->expires_at.has_value());
}

TEST(ExecCredential, what_cannot_be_used_is_refused_with_the_reason) {
    struct Case {
        std::string text;
        const char* reason;
    };
    for (
        const Case& each :
        {Case{"login failed", "did not print an ExecCredential"},
         Case{"{}", "did not print an ExecCredential"},
         Case{
             R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"t"}})",
             "answered in apiVersion \"client.authentication.k8s.io/v1beta1\""},
         Case{R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"})", "has no status"},
         Case{credential("{}"), "neither a token nor a certificate"},
         Case{credential(R"({"token":7})"), "neither a token nor a certificate"},
         Case{credential(R"({"clientCertificateData":"C"})"), "without the other"},
         Case{credential(R"({"token":"t","expirationTimestamp":"tomorrow"})"), "tomorrow"}}) {
        const auto read = parse_exec_credential(each.text, kV1);
        ASSERT_FALSE(read.has_value()) << each.text;
        EXPECT_THAT(read.error().message, HasSubstr(each.reason)) << each.text;
    }
}

TEST(ExecInfo, the_cluster_is_told_only_when_asked_for) {
    io::Endpoint endpoint;
    endpoint.base_url = "https://x";
    endpoint.ca_pem = "PEM";
    ExecPlugin plugin;
    plugin.api_version = kV1;
    auto info = nlohmann::json::parse(exec_info(plugin, endpoint));
    EXPECT_EQ(info["apiVersion"], kV1);
    EXPECT_EQ(info["spec"], (nlohmann::json{{"interactive", false}}));
    plugin.provide_cluster_info = true;
    info = nlohmann::json::parse(exec_info(plugin, endpoint));
    EXPECT_EQ(info["spec"]["cluster"],
              (nlohmann::json{{"server", "https://x"}, {"certificate-authority-data", "UEVN"}}));
}

}  // namespace
}  // namespace joiner::kube
