// Who we are to the API server, kept fresh: a fixed token, a token file read again each minute, or an exec
// plug-in run again when its credential runs out or the server refuses it. Owned by Client; loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "io/loop.h"
#include "io/process.h"
#include "kube/config.h"

namespace joiner::kube {

// What an exec plug-in prints: an ExecCredential of client.authentication.k8s.io.
struct ExecCredential {
    std::string token;
    std::string client_certificate_pem;
    std::string client_key_pem;
    std::optional<WallTime> expires_at;
};
Result<ExecCredential> parse_exec_credential(std::string_view json, std::string_view api_version);
// The JSON for $KUBERNETES_EXEC_INFO.
std::string exec_info(const ExecPlugin& plugin, const io::Endpoint& endpoint);

class Credentials {
  public:
    struct Identity {
        std::shared_ptr<const io::Endpoint> endpoint;
        std::string token;             // Empty: no bearer token.
        std::uint64_t generation = 0;  // Of these credentials, for refused().
    };

    // `on_change` comes whenever current() may have changed from null, or a plug-in has failed.
    Credentials(io::Loop& loop, Config config, std::function<void()> on_change);
    Credentials(const Credentials&) = delete;
    Credentials& operator=(const Credentials&) = delete;

    // What to send now, or null while a plug-in has yet to say. Starts whatever renewal is due.
    const Identity* current();
    // Why current() is null, after a plug-in failed; it is not run again before a pause. Nullopt while it
    // runs.
    const std::optional<Error>& problem() const { return problem_; }
    // The server answered 401 to credentials of this generation. True when another try may fare better: newer
    // ones are there, or being fetched.
    bool refused(std::uint64_t generation);

  private:
    void read_token_file();
    void run_plugin();
    void on_plugin_end(Result<io::ProcessOutput> output);
    Result<ExecCredential> credential_of(Result<io::ProcessOutput> output) const;
    void adopt(ExecCredential credential);

    io::Loop& loop_;
    const Config config_;
    const std::function<void()> on_change_;
    Identity identity_;
    bool has_identity_ = false;
    std::optional<Duration> token_file_read_at_;
    std::optional<WallTime> expires_at_;
    std::optional<WallTime> renew_at_;
    std::optional<Error> problem_;
    Duration no_run_before_{0};
    Duration refusals_count_from_{0};
    std::unique_ptr<io::ChildProcess> plugin_;  // While it runs.
};

}  // namespace joiner::kube
