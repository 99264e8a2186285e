#include "rules/limit_range.h"

#include <gtest/gtest.h>

#include "api/codec.h"
#include "rules/resources.h"

namespace joiner::rules {
namespace {

ContainerDefaults read(std::string_view limits) {
    ContainerDefaults out;
    out.add(
        api::decode_limit_range(R"({"metadata":{"name":"r"},"spec":{"limits":)" + std::string(limits) + "}}")
            .value());
    return out;
}

TEST(LimitRange, fills_in_what_containers_leave_open) {
    const struct {
        const char* name;
        const char* limits;
        const char* resources;
        std::int64_t cpu_milli;
    } kCases[] = {
        {"nothing asked", R"([{"type":"Container","defaultRequest":{"cpu":"2"}}])", "{}", 2000},
        {"a default limit alone", R"([{"type":"Container","default":{"cpu":"3"}}])", "{}", 3000},
        {"the request is smaller than the limit",
         R"([{"type":"Container","default":{"cpu":"3"},"defaultRequest":{"cpu":"1"}}])", "{}", 1000},
        {"its own request stays", R"([{"type":"Container","defaultRequest":{"cpu":"2"}}])",
         R"({"requests":{"cpu":"500m"}})", 500},
        {"its own limit is its request", R"([{"type":"Container","defaultRequest":{"cpu":"2"}}])",
         R"({"limits":{"cpu":"700m"}})", 700},
        {"a maximum alone", R"([{"type":"Container","max":{"cpu":"2"}}])", "{}", 2000},
        {"a minimum alone", R"([{"type":"Container","min":{"cpu":"300m"}}])", "{}", 300},
        {"the default before the minimum",
         R"([{"type":"Container","min":{"cpu":"1"},"default":{"cpu":"2"}}])", "{}", 2000},
        {"of pods, not of containers", R"([{"type":"Pod","max":{"cpu":"2"}}])", "{}", 0},
    };
    for (const auto& [name, limits, resources, cpu_milli] : kCases) {
        api::Pod pod =
            api::decode_pod(R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","resources":)" +
                            std::string(resources) + "}]}}")
                .value();
        apply_defaults(read(limits), pod.spec);
        EXPECT_EQ(pod_requests(pod.spec, pod.status).cpu_milli, cpu_milli) << name;
    }
}

}  // namespace
}  // namespace joiner::rules
