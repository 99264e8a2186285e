// What an answer of AWS's holds, by the protocol of its service. Pure; any thread.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace joiner::cloud::ec2::aws {

enum class Protocol { kEc2Xml, kQueryXml, kJson };

struct ErrorText {
    std::string code;
    std::string message;
};

// Of an answer that is an error. Empty where it is not in the protocol's words.
ErrorText error_of(Protocol protocol, std::string_view body);

// An answer in XML; `root` is what its first element must be called.
Result<pugi::xml_document> parse_xml(std::string_view body, const std::string& root);

}  // namespace joiner::cloud::ec2::aws
