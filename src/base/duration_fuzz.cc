// libFuzzer entry over durations and times: what is read prints, and what is printed reads back the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/time.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto duration = joiner::parse_duration(text)) {
        const auto again = joiner::parse_duration(joiner::format_duration(*duration));
        CHECK(again.has_value());
        CHECK(*again == *duration);
    }
    if (const auto time = joiner::parse_rfc3339(text)) {
        const auto again = joiner::parse_rfc3339(joiner::format_rfc3339(*time));
        CHECK(again.has_value());
        const auto micro = joiner::parse_rfc3339(joiner::format_rfc3339_micro(*time));
        CHECK(micro.has_value());
        CHECK(*micro <= *time && *time - *micro < std::chrono::microseconds{1});
    }
    return 0;
}
