// libFuzzer entry: whatever the text, Quantity::parse answers, and what it makes of it prints and reads back
// the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/quantity.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using joiner::Quantity;
    const auto quantity = Quantity::parse({reinterpret_cast<const char*>(data), size});
    if (!quantity) {
        CHECK(!quantity.error().message.empty());
        return 0;
    }
    CHECK(quantity->milli_down() <= quantity->milli_up());
    CHECK(quantity->units_down() <= quantity->units_up());
    const std::string text = quantity->to_string();
    const auto again = Quantity::parse(text);
    CHECK(again.has_value());
    CHECK(*again == *quantity);
    CHECK(again->to_string() == text);
    return 0;
}
