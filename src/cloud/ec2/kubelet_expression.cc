#include "cloud/ec2/kubelet_expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace joiner::cloud::ec2 {
namespace {

enum class ExpressionType { kInt, kDouble, kBool, kString };

enum class ExpressionOp {
    kLiteral,
    kVariable,
    kNegate,
    kNot,
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kModulo,
    kEqual,
    kUnequal,
    kLess,
    kAtMost,
    kMore,
    kAtLeast,
    kIn,  // parts: what is looked for, then the list.
    kAnd,
    kOr,
    kConditional,
    kToInt,
    kToDouble,
    kMax,
    kMin,
    kStartsWith,
    kEndsWith,
    kContains,
};

// In the order of ExpressionType.
using ExpressionValue = std::variant<std::int64_t, double, bool, std::string>;

struct ExpressionNode {
    ExpressionOp op = ExpressionOp::kLiteral;
    ExpressionType type = ExpressionType::kInt;
    std::vector<std::size_t> parts = {};  // Indices; they come before.
    ExpressionValue literal = {};
    std::size_t variable = 0;  // In kExpressionVariables.
    int depth = 1;
};

struct ExpressionVariable {
    std::string_view name;
    ExpressionType type;
    ExpressionValue (*read)(const ExpressionFacts& facts);
};

constexpr ExpressionVariable kExpressionVariables[] = {
    {"vcpus", ExpressionType::kInt,
     [](const ExpressionFacts& facts) -> ExpressionValue { return facts.vcpus; }},
    {"memory_mib", ExpressionType::kInt,
     [](const ExpressionFacts& facts) -> ExpressionValue { return facts.memory_mib; }},
    {"default_enis", ExpressionType::kInt,
     [](const ExpressionFacts& facts) -> ExpressionValue { return facts.default_enis; }},
    {"ips_per_eni", ExpressionType::kInt,
     [](const ExpressionFacts& facts) -> ExpressionValue { return facts.ips_per_eni; }},
    {"max_pods", ExpressionType::kInt,
     [](const ExpressionFacts& facts) -> ExpressionValue { return facts.max_pods; }},
    {"instance_type", ExpressionType::kString,
     [](const ExpressionFacts& facts) -> ExpressionValue { return facts.instance_type; }},
};

struct ExpressionOperator {
    std::string_view sign;
    ExpressionOp op;
};
constexpr ExpressionOperator kRelations[] = {
    {"==", ExpressionOp::kEqual},  {"!=", ExpressionOp::kUnequal}, {"<", ExpressionOp::kLess},
    {"<=", ExpressionOp::kAtMost}, {">", ExpressionOp::kMore},     {">=", ExpressionOp::kAtLeast},
};
constexpr ExpressionOperator kSums[] = {{"+", ExpressionOp::kAdd}, {"-", ExpressionOp::kSubtract}};
constexpr ExpressionOperator kProducts[] = {
    {"*", ExpressionOp::kMultiply}, {"/", ExpressionOp::kDivide}, {"%", ExpressionOp::kModulo}};
constexpr ExpressionOperator kStringMethods[] = {{"startsWith", ExpressionOp::kStartsWith},
                                                 {"endsWith", ExpressionOp::kEndsWith},
                                                 {"contains", ExpressionOp::kContains}};

std::string_view with_article(ExpressionType type) {
    switch (type) {
        case ExpressionType::kInt:
            return "an int";
        case ExpressionType::kDouble:
            return "a double";
        case ExpressionType::kBool:
            return "a bool";
        case ExpressionType::kString:
            return "a string";
    }
    return "";
}

bool is_numeric(ExpressionType type) {
    return type == ExpressionType::kInt || type == ExpressionType::kDouble;
}

std::optional<std::int64_t> truncated(double value) {
    constexpr double kBeyond = 9223372036854775808.0;
    if (!(value >= -kBeyond && value < kBeyond)) return std::nullopt;
    return static_cast<std::int64_t>(value);
}

bool is_decimal(char c) {
    return c >= '0' && c <= '9';
}
bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

struct ExpressionToken {
    enum class Kind { kSign, kName, kInt, kDouble, kString, kEnd };
    Kind kind = Kind::kEnd;
    std::string text;    // As written; of a string, what it says.
    std::size_t at = 0;  // In the text.
};

tl::unexpected<Error> wrong(std::size_t at, std::string_view what) {
    return invalid(fmt::format("{} (character {})", what, at + 1));
}

class ExpressionLexer {
  public:
    explicit ExpressionLexer(std::string_view text) : text_(text) {}

    Result<std::vector<ExpressionToken>> read() {
        std::vector<ExpressionToken> out;
        for (;;) {
            skip_space();
            TRY(out.emplace_back(), next());
            if (out.back().kind == ExpressionToken::Kind::kEnd) return out;
        }
    }

  private:
    using Kind = ExpressionToken::Kind;

    char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

    void skip_space() {
        for (;;) {
            while (at_ < text_.size() &&
                   std::string_view(" \t\r\n\f").find(text_[at_]) != std::string_view::npos)
                ++at_;
            if (peek() != '/' || peek(1) != '/') return;
            at_ = std::min(text_.find('\n', at_), text_.size());
        }
    }

    template <typename Test>
    void skip_while(Test test) {
        while (at_ < text_.size() && test(text_[at_])) ++at_;
    }

    Result<ExpressionToken> next() {
        const std::size_t from = at_;
        const auto token = [&](Kind kind) {
            return ExpressionToken{kind, std::string(text_.substr(from, at_ - from)), from};
        };
        if (at_ == text_.size()) return token(Kind::kEnd);
        const char c = text_[at_];
        if (c == '"' || c == '\'') return string();
        if (is_decimal(c) || (c == '.' && is_decimal(peek(1)))) return number();
        if (begins_name(c)) {
            skip_while([](char each) { return begins_name(each) || is_decimal(each); });
            return token(Kind::kName);
        }
        for (const std::string_view sign : {"==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*",
                                            "/",  "%",  "!",  "?",  ":",  "(",  ")", "[", "]", ",", "."}) {
            if (!text_.substr(at_).starts_with(sign)) continue;
            at_ += sign.size();
            return token(Kind::kSign);
        }
        return wrong(from, "this is no part of an expression");
    }

    Result<ExpressionToken> number() {
        const std::size_t from = at_;
        bool is_double = false;
        if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X')) {
            at_ += 2;
            skip_while(
                [](char c) { return is_decimal(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
        } else {
            skip_while(is_decimal);
            if (peek() == '.' && is_decimal(peek(1))) {
                is_double = true;
                ++at_;
                skip_while(is_decimal);
            }
            const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
            if ((peek() == 'e' || peek() == 'E') && is_decimal(peek(1 + sign))) {
                is_double = true;
                at_ += 1 + sign;
                skip_while(is_decimal);
            }
        }
        if (begins_name(peek())) return wrong(at_, "a number ends here with something that is no part of it");
        return ExpressionToken{is_double ? Kind::kDouble : Kind::kInt,
                               std::string(text_.substr(from, at_ - from)), from};
    }

    Result<ExpressionToken> string() {
        ExpressionToken out{Kind::kString, "", at_};
        const char quote = text_[at_++];
        while (at_ < text_.size() && text_[at_] != quote) {
            if (text_[at_] == '\n') break;
            if (text_[at_] != '\\') {
                out.text += text_[at_++];
                continue;
            }
            const char escaped = peek(1);
            if (escaped != '\\' && escaped != '"' && escaped != '\'')
                return wrong(at_, "a string takes no escapes but \\\\, \\\" and \\'");
            out.text += escaped;
            at_ += 2;
        }
        if (peek() != quote) return wrong(out.at, "a string has no end");
        ++at_;
        return out;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

struct ExpressionTree {
    std::string text;
    std::vector<ExpressionNode> nodes;  // The last one is the whole.
};

namespace {

class ExpressionParser {
  public:
    explicit ExpressionParser(std::vector<ExpressionToken> tokens) : tokens_(std::move(tokens)) {}

    Result<std::vector<ExpressionNode>> read() {
        TRY(const std::size_t whole, conditional());
        if (now().kind != ExpressionToken::Kind::kEnd) return unexpected("the end");
        const ExpressionType type = nodes_[whole].type;
        if (!is_numeric(type))
            return wrong(
                0, fmt::format("the whole gives {}; it must give an int or a double", with_article(type)));
        return std::move(nodes_);
    }

  private:
    using Kind = ExpressionToken::Kind;
    using Made = Result<std::size_t>;  // An index in nodes_.

    // Counts how deep the reading is.
    class Level {
      public:
        explicit Level(int& depth) : depth_(depth) { ++depth_; }
        ~Level() { --depth_; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;

      private:
        int& depth_;
    };

    const ExpressionToken& now() const { return tokens_[next_]; }
    const ExpressionToken& take() { return tokens_[next_++]; }
    bool is_sign(std::string_view sign) const { return now().kind == Kind::kSign && now().text == sign; }
    bool take_sign(std::string_view sign) {
        if (!is_sign(sign)) return false;
        ++next_;
        return true;
    }
    template <std::size_t N>
    const ExpressionOperator* take_one_of(const ExpressionOperator (&operators)[N]) {
        for (const ExpressionOperator& each : operators) {
            if (take_sign(each.sign)) return &each;
        }
        return nullptr;
    }

    tl::unexpected<Error> unexpected(std::string_view wanted) const {
        if (now().kind == Kind::kEnd)
            return wrong(now().at, fmt::format("the end, where {} should be", wanted));
        if (now().kind == Kind::kString)
            return wrong(now().at, fmt::format("a string, where {} should be", wanted));
        return wrong(now().at, fmt::format("\"{}\", where {} should be", now().text, wanted));
    }
    static tl::unexpected<Error> too_deep(std::size_t at) {
        return wrong(at, fmt::format("more than {} operations are inside one another", kDeepestExpression));
    }
    tl::unexpected<Error> does_not_take(std::size_t at, std::string_view what, std::size_t a,
                                        std::size_t b) const {
        const bool is_mixed =
            nodes_[a].type != nodes_[b].type && is_numeric(nodes_[a].type) && is_numeric(nodes_[b].type);
        return wrong(at, fmt::format("{} does not take {} and {}{}", what, with_article(nodes_[a].type),
                                     with_article(nodes_[b].type),
                                     is_mixed ? "; int() and double() make one of the other" : ""));
    }

    Made add(std::size_t at, ExpressionOp op, ExpressionType type, std::vector<std::size_t> parts) {
        ExpressionNode node{.op = op, .type = type, .parts = std::move(parts)};
        for (const std::size_t part : node.parts) node.depth = std::max(node.depth, nodes_[part].depth + 1);
        if (node.depth > kDeepestExpression) return too_deep(at);
        nodes_.push_back(std::move(node));
        return nodes_.size() - 1;
    }
    std::size_t add_literal(ExpressionValue value) {
        ExpressionNode node;
        node.type = static_cast<ExpressionType>(value.index());
        node.literal = std::move(value);
        nodes_.push_back(std::move(node));
        return nodes_.size() - 1;
    }
    ExpressionType type_of(std::size_t node) const { return nodes_[node].type; }

    Made conditional() {
        const Level level(depth_);
        if (depth_ > kDeepestExpression) return too_deep(now().at);
        TRY(const std::size_t condition, disjunction());
        const std::size_t at = now().at;
        if (!take_sign("?")) return condition;
        TRY(const std::size_t yes, disjunction());
        if (!take_sign(":")) return unexpected("\":\"");
        TRY(const std::size_t no, conditional());
        if (type_of(condition) != ExpressionType::kBool)
            return wrong(at, fmt::format("what stands before \"?\" is {}, not a bool",
                                         with_article(type_of(condition))));
        if (type_of(yes) != type_of(no)) return does_not_take(at, "\"?:\"", yes, no);
        return add(at, ExpressionOp::kConditional, type_of(yes), {condition, yes, no});
    }

    Made disjunction() {
        return logic("||", ExpressionOp::kOr,
                     [this] { return logic("&&", ExpressionOp::kAnd, [this] { return relation(); }); });
    }

    template <typename Part>
    Made logic(std::string_view sign, ExpressionOp op, Part part) {
        TRY(std::size_t left, part());
        for (;;) {
            const std::size_t at = now().at;
            if (!take_sign(sign)) return left;
            TRY(const std::size_t right, part());
            if (type_of(left) != ExpressionType::kBool || type_of(right) != ExpressionType::kBool)
                return does_not_take(at, fmt::format("\"{}\"", sign), left, right);
            TRY(left, add(at, op, ExpressionType::kBool, {left, right}));
        }
    }

    Made relation() {
        TRY(std::size_t left, sum());
        for (;;) {
            const std::size_t at = now().at;
            if (now().kind == Kind::kName && now().text == "in") {
                ++next_;
                TRY(left, membership(at, left));
                continue;
            }
            const ExpressionOperator* found = take_one_of(kRelations);
            if (found == nullptr) return left;
            TRY(const std::size_t right, sum());
            if (type_of(left) != type_of(right))
                return does_not_take(at, fmt::format("\"{}\"", found->sign), left, right);
            TRY(left, add(at, found->op, ExpressionType::kBool, {left, right}));
        }
    }

    Made membership(std::size_t at, std::size_t item) {
        if (!take_sign("[")) return unexpected("a list, as in [1, 2],");
        std::vector<std::size_t> parts = {item};
        while (!take_sign("]")) {
            if (parts.size() > 1 && !take_sign(",")) return unexpected("\",\" or \"]\"");
            if (parts.size() > 1 && take_sign("]")) break;
            const std::size_t at_item = now().at;
            TRY(const std::size_t one, unary());
            if (nodes_[one].op != ExpressionOp::kLiteral) return wrong(at_item, "a list takes literals only");
            if (type_of(one) != type_of(item)) return does_not_take(at_item, "\"in\"", item, one);
            parts.push_back(one);
        }
        return add(at, ExpressionOp::kIn, ExpressionType::kBool, std::move(parts));
    }

    Made sum() {
        return arithmetic(kSums, [this] { return arithmetic(kProducts, [this] { return unary(); }); });
    }

    template <std::size_t N, typename Part>
    Made arithmetic(const ExpressionOperator (&operators)[N], Part part) {
        TRY(std::size_t left, part());
        for (;;) {
            const std::size_t at = now().at;
            const ExpressionOperator* found = take_one_of(operators);
            if (found == nullptr) return left;
            TRY(const std::size_t right, part());
            const ExpressionType type = type_of(left);
            const bool is_taken = type == type_of(right) &&
                                  (type == ExpressionType::kInt ||
                                   (type == ExpressionType::kDouble && found->op != ExpressionOp::kModulo) ||
                                   (type == ExpressionType::kString && found->op == ExpressionOp::kAdd));
            if (!is_taken) return does_not_take(at, fmt::format("\"{}\"", found->sign), left, right);
            TRY(left, add(at, found->op, type, {left, right}));
        }
    }

    Made unary() {
        if (!is_sign("!") && !is_sign("-")) return member();
        const Level level(depth_);
        const std::size_t at = now().at;
        if (depth_ > kDeepestExpression) return too_deep(at);
        if (take_sign("!")) {
            TRY(const std::size_t of, unary());
            if (type_of(of) != ExpressionType::kBool)
                return wrong(at, fmt::format("\"!\" does not take {}", with_article(type_of(of))));
            return add(at, ExpressionOp::kNot, ExpressionType::kBool, {of});
        }
        take();
        // The sign is part of the number: the least int has no counterpart above zero.
        if (now().kind == Kind::kInt || now().kind == Kind::kDouble) return number("-");
        TRY(const std::size_t of, unary());
        if (!is_numeric(type_of(of)))
            return wrong(at, fmt::format("\"-\" does not take {}", with_article(type_of(of))));
        return add(at, ExpressionOp::kNegate, type_of(of), {of});
    }

    Made member() {
        TRY(std::size_t left, primary());
        while (take_sign(".")) {
            if (now().kind != Kind::kName) return unexpected("a method's name");
            const ExpressionToken& name = take();
            const auto* const method =
                std::find_if(std::begin(kStringMethods), std::end(kStringMethods),
                             [&](const ExpressionOperator& each) { return each.sign == name.text; });
            if (method == std::end(kStringMethods))
                return wrong(name.at,
                             fmt::format("{} is not known; strings have startsWith(), endsWith() and "
                                         "contains()",
                                         name.text));
            TRY(const std::vector<std::size_t> arguments, arguments_of(name, 1));
            if (type_of(left) != ExpressionType::kString ||
                type_of(arguments.front()) != ExpressionType::kString)
                return does_not_take(name.at, name.text, left, arguments.front());
            TRY(left, add(name.at, method->op, ExpressionType::kBool, {left, arguments.front()}));
        }
        return left;
    }

    Made primary() {
        switch (now().kind) {
            case Kind::kInt:
            case Kind::kDouble:
                return number("");
            case Kind::kString:
                return add_literal(take().text);
            case Kind::kName:
                return name();
            default:
                break;
        }
        if (!take_sign("(")) return unexpected("a value");
        TRY(const std::size_t inside, conditional());
        if (!take_sign(")")) return unexpected("\")\"");
        return inside;
    }

    Made number(const char* sign) {
        const ExpressionToken& token = take();
        const bool is_hex = token.text.size() > 1 && (token.text[1] == 'x' || token.text[1] == 'X');
        const std::string text = sign + (is_hex ? token.text.substr(2) : token.text);
        const char* const end = text.data() + text.size();
        if (token.kind == Kind::kInt) {
            std::int64_t value = 0;
            const auto read = std::from_chars(text.data(), end, value, is_hex ? 16 : 10);
            if (read.ec != std::errc{} || read.ptr != end) return wrong(token.at, "this number is no int");
            return add_literal(value);
        }
        double value = 0;
        const auto read = std::from_chars(text.data(), end, value);
        if (read.ec != std::errc{} || read.ptr != end) return wrong(token.at, "this number is no double");
        return add_literal(value);
    }

    Made name() {
        const ExpressionToken& token = take();
        if (token.text == "true" || token.text == "false") return add_literal(token.text == "true");
        if (is_sign("(")) return call(token);
        const auto* const found =
            std::find_if(std::begin(kExpressionVariables), std::end(kExpressionVariables),
                         [&](const ExpressionVariable& each) { return each.name == token.text; });
        if (found == std::end(kExpressionVariables))
            return wrong(token.at, fmt::format("{} is not known; there are vcpus, memory_mib, default_enis, "
                                               "ips_per_eni, max_pods and instance_type",
                                               token.text));
        ExpressionNode node{.op = ExpressionOp::kVariable, .type = found->type};
        node.variable = static_cast<std::size_t>(found - std::begin(kExpressionVariables));
        nodes_.push_back(std::move(node));
        return nodes_.size() - 1;
    }

    Made call(const ExpressionToken& name) {
        if (name.text == "int" || name.text == "double") {
            TRY(const std::vector<std::size_t> arguments, arguments_of(name, 1));
            if (type_of(arguments.front()) == ExpressionType::kBool)
                return wrong(name.at, fmt::format("{} does not take a bool", name.text));
            const bool is_int = name.text == "int";
            return add(name.at, is_int ? ExpressionOp::kToInt : ExpressionOp::kToDouble,
                       is_int ? ExpressionType::kInt : ExpressionType::kDouble, arguments);
        }
        if (name.text != "max" && name.text != "min")
            return wrong(name.at, fmt::format("{}() is not known; there are max(), min(), int() and double()",
                                              name.text));
        TRY(const std::vector<std::size_t> arguments, arguments_of(name, 2));
        const ExpressionType a = type_of(arguments[0]);
        const ExpressionType b = type_of(arguments[1]);
        if (!is_numeric(a) || !is_numeric(b))
            return does_not_take(name.at, name.text, arguments[0], arguments[1]);
        return add(name.at, name.text == "max" ? ExpressionOp::kMax : ExpressionOp::kMin,
                   a == b ? a : ExpressionType::kDouble, arguments);
    }

    Result<std::vector<std::size_t>> arguments_of(const ExpressionToken& name, std::size_t wanted) {
        if (!take_sign("(")) return unexpected("\"(\"");
        std::vector<std::size_t> out;
        while (!take_sign(")")) {
            if (!out.empty() && !take_sign(",")) return unexpected("\",\" or \")\"");
            TRY(out.emplace_back(), conditional());
        }
        if (out.size() != wanted)
            return wrong(name.at, fmt::format("{} takes {}, and here are {}", name.text,
                                              wanted == 1 ? "one argument" : "two arguments", out.size()));
        return out;
    }

    std::vector<ExpressionToken> tokens_;
    std::size_t next_ = 0;
    int depth_ = 0;
    std::vector<ExpressionNode> nodes_;
};

Result<ExpressionValue> of_ints(ExpressionOp op, std::int64_t a, std::int64_t b) {
    std::int64_t out = 0;
    bool is_beyond = false;
    switch (op) {
        case ExpressionOp::kAdd:
            is_beyond = __builtin_add_overflow(a, b, &out);
            break;
        case ExpressionOp::kSubtract:
            is_beyond = __builtin_sub_overflow(a, b, &out);
            break;
        case ExpressionOp::kMultiply:
            is_beyond = __builtin_mul_overflow(a, b, &out);
            break;
        default:
            if (b == 0) return invalid("it divides by zero");
            is_beyond = a == std::numeric_limits<std::int64_t>::min() && b == -1;
            if (!is_beyond) out = op == ExpressionOp::kDivide ? a / b : a % b;
    }
    if (is_beyond) return invalid("a number is beyond what an int holds");
    return out;
}

double of_doubles(ExpressionOp op, double a, double b) {
    switch (op) {
        case ExpressionOp::kAdd:
            return a + b;
        case ExpressionOp::kSubtract:
            return a - b;
        case ExpressionOp::kMultiply:
            return a * b;
        default:
            return a / b;
    }
}

bool is_met(ExpressionOp op, const ExpressionValue& a, const ExpressionValue& b) {
    switch (op) {
        case ExpressionOp::kEqual:
            return a == b;
        case ExpressionOp::kUnequal:
            return a != b;
        case ExpressionOp::kLess:
            return a < b;
        case ExpressionOp::kAtMost:
            return a <= b;
        case ExpressionOp::kMore:
            return a > b;
        default:
            return a >= b;
    }
}

double as_double(const ExpressionValue& value) {
    const auto* whole = std::get_if<std::int64_t>(&value);
    return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value);
}

// As Karpenter has it: of a NaN and a number, the second one.
template <typename T>
T chosen(ExpressionOp op, T a, T b) {
    const bool is_first = op == ExpressionOp::kMax ? a > b : a < b;
    return is_first ? a : b;
}

template <typename T>
Result<T> read_number(const std::string& text) {
    T out = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, out);
    if (read.ec != std::errc{} || read.ptr != end) return invalid(fmt::format("\"{}\" is no number", text));
    return out;
}

class ExpressionEvaluation {
  public:
    ExpressionEvaluation(const ExpressionTree& tree, const ExpressionFacts& facts)
        : tree_(tree), facts_(facts) {}

    Result<ExpressionValue> value(std::size_t index) const {
        const ExpressionNode& node = tree_.nodes[index];
        switch (node.op) {
            case ExpressionOp::kLiteral:
                return node.literal;
            case ExpressionOp::kVariable:
                return kExpressionVariables[node.variable].read(facts_);
            case ExpressionOp::kAnd:
            case ExpressionOp::kOr:
                return logic(node);
            case ExpressionOp::kConditional: {
                TRY(const ExpressionValue condition, value(node.parts[0]));
                return value(node.parts[std::get<bool>(condition) ? 1 : 2]);
            }
            case ExpressionOp::kIn:
                return is_in(node);
            default:
                return node.parts.size() == 1 ? of_one(node) : of_two(node);
        }
    }

  private:
    // As CEL has it: where one side decides, an error of the other does not count.
    Result<ExpressionValue> logic(const ExpressionNode& node) const {
        const bool deciding = node.op == ExpressionOp::kOr;
        const Result<ExpressionValue> left = value(node.parts[0]);
        if (left && std::get<bool>(*left) == deciding) return left;
        const Result<ExpressionValue> right = value(node.parts[1]);
        if (right && std::get<bool>(*right) == deciding) return right;
        return left ? right : left;
    }

    Result<ExpressionValue> is_in(const ExpressionNode& node) const {
        TRY(const ExpressionValue item, value(node.parts[0]));
        return std::any_of(node.parts.begin() + 1, node.parts.end(),
                           [&](std::size_t each) { return tree_.nodes[each].literal == item; });
    }

    Result<ExpressionValue> of_one(const ExpressionNode& node) const {
        TRY(const ExpressionValue of, value(node.parts[0]));
        const auto* text = std::get_if<std::string>(&of);
        switch (node.op) {
            case ExpressionOp::kNot:
                return !std::get<bool>(of);
            case ExpressionOp::kNegate:
                if (const auto* real = std::get_if<double>(&of)) return -*real;
                return of_ints(ExpressionOp::kSubtract, 0, std::get<std::int64_t>(of));
            case ExpressionOp::kToInt: {
                if (text != nullptr) return read_number<std::int64_t>(*text);
                if (std::holds_alternative<std::int64_t>(of)) return of;
                const auto out = truncated(std::get<double>(of));
                // The least int is beyond it too, as CEL has it.
                if (!out || *out == std::numeric_limits<std::int64_t>::min())
                    return invalid("int() of a number that no int holds");
                return *out;
            }
            default:
                if (text != nullptr) return read_number<double>(*text);
                return as_double(of);
        }
    }

    Result<ExpressionValue> of_two(const ExpressionNode& node) const {
        TRY(const ExpressionValue a, value(node.parts[0]));
        TRY(const ExpressionValue b, value(node.parts[1]));
        switch (node.op) {
            case ExpressionOp::kAdd:
            case ExpressionOp::kSubtract:
            case ExpressionOp::kMultiply:
            case ExpressionOp::kDivide:
            case ExpressionOp::kModulo:
                if (node.type == ExpressionType::kString)
                    return std::get<std::string>(a) + std::get<std::string>(b);
                if (node.type == ExpressionType::kDouble)
                    return of_doubles(node.op, std::get<double>(a), std::get<double>(b));
                return of_ints(node.op, std::get<std::int64_t>(a), std::get<std::int64_t>(b));
            case ExpressionOp::kMax:
            case ExpressionOp::kMin:
                if (node.type == ExpressionType::kInt)
                    return chosen(node.op, std::get<std::int64_t>(a), std::get<std::int64_t>(b));
                return chosen(node.op, as_double(a), as_double(b));
            case ExpressionOp::kStartsWith:
                return std::get<std::string>(a).starts_with(std::get<std::string>(b));
            case ExpressionOp::kEndsWith:
                return std::get<std::string>(a).ends_with(std::get<std::string>(b));
            case ExpressionOp::kContains:
                return std::get<std::string>(a).find(std::get<std::string>(b)) != std::string::npos;
            case ExpressionOp::kEqual:
            case ExpressionOp::kUnequal:
                return is_met(node.op, a, b);
            default:
                for (const ExpressionValue* each : {&a, &b}) {
                    const auto* real = std::get_if<double>(each);
                    if (real != nullptr && std::isnan(*real))
                        return invalid("what is no number has no order");
                }
                return is_met(node.op, a, b);
        }
    }

    const ExpressionTree& tree_;
    const ExpressionFacts& facts_;
};

}  // namespace

Result<KubeletExpression> KubeletExpression::parse(std::string_view text) {
    if (text.size() > kLongestExpression)
        return invalid(fmt::format("it is longer than {} characters", kLongestExpression));
    TRY(std::vector<ExpressionToken> tokens, ExpressionLexer(text).read());
    TRY(std::vector<ExpressionNode> nodes, ExpressionParser(std::move(tokens)).read());
    return KubeletExpression(
        std::make_shared<const ExpressionTree>(ExpressionTree{std::string(text), std::move(nodes)}));
}

Result<std::int64_t> KubeletExpression::evaluate(const ExpressionFacts& facts) const {
    TRY(const ExpressionValue value, ExpressionEvaluation(*tree_, facts).value(tree_->nodes.size() - 1));
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
    const double real = std::get<double>(value);
    if (!std::isfinite(real)) return invalid("the result is no finite number");
    const std::optional<std::int64_t> out = truncated(real);
    if (!out) return invalid("the result is beyond what an int holds");
    return *out;
}

const std::string& KubeletExpression::text() const {
    return tree_->text;
}

}  // namespace joiner::cloud::ec2
