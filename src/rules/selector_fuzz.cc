// libFuzzer entry: a selector that can be read matches or does not, and an absent one matches nothing.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "rules/selector.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto selector = joiner::rules::parse_selector({reinterpret_cast<const char*>(data), size});
    if (!selector) {
        CHECK(!selector.error().message.empty());
        return 0;
    }
    const joiner::api::StringMap all[] = {{}, {{"a", "b"}}, {{"app", "web"}, {"tier", "a"}}};
    for (const auto& labels : all) (void)joiner::rules::matches(*selector, labels);
    // Every requirement holds for labels made to meet it, unless two of them disagree.
    for (const auto& r : selector->match_expressions) {
        CHECK(!r.key.empty());
        joiner::api::LabelSelector one;
        one.match_expressions = {r};
        joiner::api::StringMap labels;
        if (r.op == "Exists") labels[r.key] = "";
        if (r.op == "In") {
            CHECK(!r.values.empty());
            labels[r.key] = r.values.front();
        }
        CHECK(joiner::rules::matches(one, labels));
    }
    CHECK(!joiner::rules::matches(std::nullopt, {}));
    return 0;
}
