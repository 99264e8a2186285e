// Standard base64 (RFC 4648), as certificates are written in a kubeconfig. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace joiner::kube {

// Line ends and spaces are skipped, as Go and YAML files have it. nullopt: not base64.
std::optional<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

}  // namespace joiner::kube
