// libFuzzer entry: whatever the text, it is split into objects that are JSON with a kind, or refused in
// words.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/codec.h"
#include "api/manifest.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto documents = joiner::api::split_manifest(text, "fuzz");
    if (!documents) {
        CHECK(!documents.error().message.empty());
        return 0;
    }
    for (const auto& document : *documents) {
        CHECK(!document.kind.empty() && !document.api_version.empty());
        const auto meta = joiner::api::decode_meta(document.json);
        CHECK(meta.has_value() || meta.error().message.find("not valid JSON") == std::string::npos);
    }
    return 0;
}
