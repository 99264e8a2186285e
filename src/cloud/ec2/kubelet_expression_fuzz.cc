// libFuzzer entry: whatever the text, it is an expression or a mistake in words, and an expression gives a
// number or says why not, each time the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "cloud/ec2/kubelet_expression.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace joiner::cloud::ec2;
    const auto expression = KubeletExpression::parse({reinterpret_cast<const char*>(data), size});
    if (!expression) {
        CHECK(!expression.error().message.empty());
        return 0;
    }
    const ExpressionFacts of_types[] = {
        {}, {2, 8192, 3, 10, 29, "m5.large"}, {192, 2097152, 8, 50, 100, "p5.48xlarge"}};
    for (const ExpressionFacts& facts : of_types) {
        const auto result = expression->evaluate(facts);
        const auto again = expression->evaluate(facts);
        CHECK(result.has_value() == again.has_value());
        if (result)
            CHECK(*result == *again);
        else
            CHECK(!result.error().message.empty());
    }
    return 0;
}
