#include "cloud/ec2/kubelet_expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace joiner::cloud::ec2 {
namespace {

using ::testing::HasSubstr;

const ExpressionFacts kFacts{.vcpus = 16,
                             .memory_mib = 65536,
                             .default_enis = 8,
                             .ips_per_eni = 30,
                             .max_pods = 234,
                             .instance_type = "m5.4xlarge"};

TEST(KubeletExpression, gives_what_cel_gives) {
    struct Case {
        const char* text;
        std::int64_t result;
    };
    const Case cases[] = {
        // Variables, and the sums that people write.
        {"vcpus", 16},
        {"((default_enis - 1) * (ips_per_eni - 1)) + 2", 205},
        {"max(60, vcpus * 30)", 480},
        {"11 * max_pods + 255", 2829},
        {"max(100, memory_mib / 64)", 1024},
        {" min(max_pods,\n110) // as many as one likes", 110},
        // Literals.
        {"0x1F", 31},
        {"-0x10", -16},
        {"9223372036854775807", 9223372036854775807},
        {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
        {".5e1", 5},
        {"1E2", 100},
        {"2.5e-1 * 8.0", 2},
        // Precedence and order.
        {"1 + 2 * 3", 7},
        {"(1 + 2) * 3", 9},
        {"10 - 3 - 2", 5},
        {"100 / 5 / 2", 10},
        {"-vcpus + 20", 4},
        {"- - 3", 3},
        {"2 - -3", 5},
        {"1 < 2 == true ? 1 : 0", 1},
        {"true || false && false ? 1 : 0", 1},
        {"!(vcpus > 8) ? 1 : vcpus > 15 ? 2 : 3", 2},
        // Whole numbers are divided towards zero, and the rest has the sign of what is divided.
        {"7 / 2", 3},
        {"-7 / 2", -3},
        {"-7 % 3", -1},
        {"7 % -3", 1},
        // Doubles are cut off at the end.
        {"7.0 / 2.0", 3},
        {"0.0 - 1.9", -1},
        {"double(vcpus) * 0.9", 14},
        {"int(2.9) + int(\"40\") + int(vcpus)", 58},
        {"double(\"1.5\") * 2.0", 3},
        // max and min take both, and then give a double.
        {"max(1, 2.5) * 2.0", 5},
        {"min(1.5, 2)", 1},
        {"max(1, 2) + 1", 3},
        // Comparison.
        {"1 == 1 && 1 != 2 && 1 <= 1 && 2 >= 2 && 1 < 2 && 2 > 1 ? 1 : 0", 1},
        {"1.0 < 1.5 && \"a\" < \"b\" && false < true ? 1 : 0", 1},
        // The type's name.
        {"instance_type.startsWith(\"m5.\") ? 1 : 0", 1},
        {"instance_type.endsWith('xlarge') ? 1 : 0", 1},
        {"instance_type.contains(\"g.\") ? 1 : 0", 0},
        {"instance_type == 'm5.' + '4xlarge' ? 1 : 0", 1},
        {"instance_type in [\"m5.large\", \"m5.4xlarge\"] ? 1 : 0", 1},
        {"'\\'' == \"'\" ? 1 : 0", 1},
        {"vcpus in [2, 4,] ? 1 : 0", 0},
        {"vcpus in [] ? 1 : 0", 0},
        {"-1 in [-1] ? 1 : 0", 1},
        // Where one side decides, the other may fail.
        {"true || 1 / 0 == 1 ? 1 : 0", 1},
        {"1 / 0 == 1 || true ? 1 : 0", 1},
        {"1 / 0 == 1 && false ? 1 : 0", 0},
        {"vcpus == 0 ? 1 / 0 : 5", 5},
    };
    for (const Case& c : cases) {
        const auto read = KubeletExpression::parse(c.text);
        ASSERT_TRUE(read) << c.text << ": " << read.error().message;
        const auto result = read->evaluate(kFacts);
        ASSERT_TRUE(result) << c.text << ": " << result.error().message;
        EXPECT_EQ(*result, c.result) << c.text;
        EXPECT_EQ(read->text(), c.text);
    }
}

TEST(KubeletExpression, is_refused_with_its_mistake_and_the_place) {
    struct Case {
        const char* text;
        const char* said;
    };
    const Case cases[] = {
        {"", "the end, where a value should be (character 1)"},
        {"min(110,", "the end, where a value should be (character 9)"},
        {"vcpus 2", "\"2\", where the end should be (character 7)"},
        {"(1", "the end, where \")\" should be (character 3)"},
        {"1 +", "the end, where a value should be (character 4)"},
        {"vcpus = 2", "no part of an expression (character 7)"},
        {"\xff", "no part of an expression (character 1)"},
        {"cpus", "cpus is not known; there are vcpus,"},
        {"true ? 1 2", "\"2\", where \":\" should be (character 10)"},
        // Types.
        {"vcpus * 0.5",
         "\"*\" does not take an int and a double; int() and double() make one of the other "
         "(character 7)"},
        {"1 == 1.0 ? 1 : 0", "\"==\" does not take an int and a double"},
        {"true ? 1 : 2.0", "\"?:\" does not take an int and a double"},
        {"1 ? 2 : 3", "what stands before \"?\" is an int, not a bool (character 3)"},
        {"5.0 % 2.0", "\"%\" does not take a double and a double"},
        {"'a' - 'b'", "\"-\" does not take a string and a string"},
        {"1 && true", "\"&&\" does not take an int and a bool"},
        {"!1", "\"!\" does not take an int"},
        {"-true", "\"-\" does not take a bool"},
        {"vcpus > 1", "the whole gives a bool; it must give an int or a double"},
        {"instance_type", "the whole gives a string"},
        {"vcpus in [1.0] ? 1 : 0", "\"in\" does not take an int and a double"},
        {"vcpus in [vcpus] ? 1 : 0", "a list takes literals only (character 11)"},
        {"vcpus in vcpus ? 1 : 0", "where a list, as in [1, 2], should be"},
        {"[1]", "\"[\", where a value should be"},
        // Functions.
        {"max(1)", "max takes two arguments, and here are 1"},
        {"max(1, 2, 3)", "max takes two arguments, and here are 3"},
        {"max(1, 'a')", "max does not take an int and a string"},
        {"int(true)", "int does not take a bool"},
        {"floor(1.5)", "floor() is not known; there are max(), min(), int() and double()"},
        {"instance_type.matches('m5.*') ? 1 : 0", "matches is not known; strings have startsWith()"},
        {"vcpus.startsWith('1') ? 1 : 0", "startsWith does not take an int and a string"},
        // Literals.
        {"9223372036854775808", "this number is no int (character 1)"},
        {"1e999", "this number is no double"},
        {"0x", "this number is no int"},
        {"1u", "a number ends here with something that is no part of it (character 2)"},
        {"'abc", "a string has no end (character 1)"},
        {"'\\n' == 'a' ? 1 : 0", "a string takes no escapes but"},
    };
    for (const Case& c : cases) {
        const auto read = KubeletExpression::parse(c.text);
        ASSERT_FALSE(read) << c.text;
        EXPECT_EQ(read.error().kind, ErrorKind::kInvalid);
        EXPECT_THAT(read.error().message, HasSubstr(c.said)) << c.text;
    }
}

TEST(KubeletExpression, fails_where_its_numbers_do) {
    struct Case {
        const char* text;
        const char* said;
    };
    const Case cases[] = {
        {"1048576 / (vcpus - vcpus)", "it divides by zero"},
        {"1 % (vcpus - 16)", "it divides by zero"},
        {"9223372036854775807 + vcpus", "beyond what an int holds"},
        {"-9223372036854775807 - vcpus", "beyond what an int holds"},
        {"9223372036854775807 * vcpus", "beyond what an int holds"},
        {"-9223372036854775808 / (vcpus - 17)", "beyond what an int holds"},
        {"-9223372036854775808 % (vcpus - 17)", "beyond what an int holds"},
        {"-(-9223372036854775807 - 1)", "beyond what an int holds"},
        {"1.0 / 0.0", "the result is no finite number"},
        {"0.0 / 0.0", "the result is no finite number"},
        {"1e300", "the result is beyond what an int holds"},
        {"int(double(-9223372036854775808))", "int() of a number that no int holds"},
        {"0.0 / 0.0 < 1.0 ? 1 : 2", "what is no number has no order"},
        {"int(1e300)", "int() of a number that no int holds"},
        {"int(instance_type)", "\"m5.4xlarge\" is no number"},
        {"1 / 0 == 1 && true ? 1 : 0", "it divides by zero"},
    };
    for (const Case& c : cases) {
        const auto read = KubeletExpression::parse(c.text);
        ASSERT_TRUE(read) << c.text << ": " << read.error().message;
        const auto result = read->evaluate(kFacts);
        ASSERT_FALSE(result) << c.text << ": " << *result;
        EXPECT_THAT(result.error().message, HasSubstr(c.said)) << c.text;
    }
}

TEST(KubeletExpression, is_bounded_in_length_and_depth) {
    const auto repeated = [](std::string_view what, int times) {
        std::string out;
        for (int i = 0; i < times; ++i) out += what;
        return out;
    };
    EXPECT_TRUE(KubeletExpression::parse(repeated("(", 90) + "1" + repeated(")", 90)));
    EXPECT_TRUE(KubeletExpression::parse("1" + repeated("+1", 99)));
    const std::string too_deep[] = {
        repeated("(", 101) + "1" + repeated(")", 101),
        repeated("- ", 1000) + "1",
        repeated("!", 1000) + "true ? 1 : 0",
        "1" + repeated("+1", 100),
        repeated("max(1, ", 101) + "1" + repeated(")", 101),
        repeated("true ? 1 : ", 150) + "1",
    };
    for (const std::string& text : too_deep) {
        const auto read = KubeletExpression::parse(text);
        ASSERT_FALSE(read) << text;
        EXPECT_THAT(read.error().message, HasSubstr("more than 100 operations are inside one another"))
            << text;
    }
    EXPECT_THAT(KubeletExpression::parse(repeated(" ", 2048) + "1").error().message,
                HasSubstr("longer than 2048"));
}

}  // namespace
}  // namespace joiner::cloud::ec2
