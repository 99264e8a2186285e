// MIME multipart texts, as cloud-init and nodeadm read them. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace joiner::cloud::ec2 {

struct MimePart {
    std::string headers;  // Lines without the last line end: "Content-Type: text/x-shellscript".
    std::string body;
};

bool is_mime(std::string_view text);
// kInvalid where it is not multipart or a part has no end of its headers.
Result<std::vector<MimePart>> read_mime(std::string_view text);
std::string write_mime(const std::vector<MimePart>& parts);

}  // namespace joiner::cloud::ec2
