// What is a label's key, a label's value, and one key under its several names. Pure; any thread. Source:
// Kubernetes' rules for labels, Karpenter's list of old names.
#pragma once

#include <string_view>

namespace joiner::api {

// "[prefix/]name", as labels, annotations and taints have for keys.
bool is_qualified_name(std::string_view key);
bool is_label_value(std::string_view value);

// Today's name of a key that has an older one ("beta.kubernetes.io/arch"), else the key itself.
std::string_view normalize_label(std::string_view key);

}  // namespace joiner::api
