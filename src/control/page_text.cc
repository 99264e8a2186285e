#include "control/page_text.h"

#include <fmt/format.h>

#include <string_view>

#include "base/hash.h"
#include "observe/gzip.h"

namespace joiner::control {

const std::string& PageText::tag() const {
    std::call_once(tag_once_, [this] {
        std::string_view text = *json_;
        if (const std::size_t comma = text.find(','); comma != std::string_view::npos)
            text.remove_prefix(comma);
        tag_ = fmt::format("W/\"{:016x}\"", fnv1a(text));
    });
    return tag_;
}

const std::shared_ptr<const std::string>& PageText::gzipped() const {
    std::call_once(gzip_once_,
                   [this] { gzipped_ = std::make_shared<const std::string>(observe::gzip(*json_)); });
    return gzipped_;
}

}  // namespace joiner::control
