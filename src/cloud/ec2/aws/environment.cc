#include "cloud/ec2/aws/environment.h"

#include <unistd.h>

#include <cstdlib>

#include "io/file.h"

namespace joiner::cloud::ec2::aws {
namespace {

Result<std::string> read_if_there(const std::string& path) {
    Result<std::string> text = io::read_file(path, 1u << 20);
    if (!text && text.error().kind == ErrorKind::kNotFound) return std::string();
    return text;
}

}  // namespace

Result<Environment> read_environment() {
    Environment out;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos || !text.starts_with("AWS_")) continue;
        out.variables[std::string(text.substr(0, equals))] = text.substr(equals + 1);
    }
    const char* home = std::getenv("HOME");
    const std::string folder = (home == nullptr ? std::string() : std::string(home)) + "/.aws/";
    const auto path = [&](const char* variable, const char* name) {
        const std::string set = out.variable(variable);
        return set.empty() ? folder + name : set;
    };
    TRY(const std::string config, read_if_there(path("AWS_CONFIG_FILE", "config")));
    TRY(const std::string credentials, read_if_there(path("AWS_SHARED_CREDENTIALS_FILE", "credentials")));
    TRY(out.files, parse_profile_files(config, credentials));
    return out;
}

}  // namespace joiner::cloud::ec2::aws
