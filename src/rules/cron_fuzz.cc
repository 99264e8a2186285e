// libFuzzer entry: a schedule that can be read has a next hit after any moment, or none, and is active right
// at it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "rules/cron.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    const std::uint32_t hours = data[0] | data[1] << 8 | data[2] << 16;
    const joiner::WallTime now{std::chrono::hours{hours % 400'000} + std::chrono::seconds{data[3]}};
    const auto cron = joiner::rules::Cron::parse({reinterpret_cast<const char*>(data) + 4, size - 4});
    if (!cron) {
        CHECK(!cron.error().message.empty());
        return 0;
    }
    const auto next = cron->next(now);
    if (!next) return 0;
    CHECK(*next > now);
    CHECK(cron->is_active(*next, std::chrono::seconds{1}));
    CHECK(cron->next(*next - std::chrono::nanoseconds{1}) == next);
    return 0;
}
