#include "cloud/kwok/kwok_provider.h"

#include <gtest/gtest.h>

#include "cloud/kwok/types_file.h"
#include "io/testing/manual_loop.h"

namespace joiner::cloud::kwok {
namespace {

// As upstream's: the machine is there, and what keeps its node away is for the registration time-out.
TEST(KwokProvider, s4_1_a_node_that_the_server_refuses_is_launched_and_never_registers) {
    const struct {
        ErrorKind answer;
        bool is_launched;
    } cases[] = {{ErrorKind::kInvalid, true},
                 {ErrorKind::kForbidden, true},
                 {ErrorKind::kConflict, true},
                 {ErrorKind::kUnavailable, false}};
    for (const auto& c : cases) {
        io::testing::ManualLoop loop;
        const api::KWOKNodeClass node_class;
        ClusterAccess access;
        access.node_class = [&](const std::string&) { return &node_class; };
        access.create_node = [&](const api::Node&, std::function<void(Status)> done) {
            done(fail(c.answer, "denied"));
        };
        KwokProvider provider(loop, builtin_types(), access);
        std::optional<Result<Instance>> launched;
        provider.create({}, [&](Result<Instance> result) { launched = std::move(result); });
        loop.run_ready();
        ASSERT_TRUE(launched);
        EXPECT_EQ(launched->has_value(), c.is_launched) << to_string(c.answer);
    }
}

}  // namespace
}  // namespace joiner::cloud::kwok
