#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <set>
#include <string_view>
#include <utility>

#include "sim/cel_program.h"

namespace joiner::sim::cel {
namespace {

constexpr int kMaxDepth = 64;

struct Token {
    enum class Kind { kEnd, kName, kNumber, kText, kSymbol };
    Kind kind = Kind::kEnd;
    std::string text;
    Json literal;
};

Result<std::vector<Token>> tokenize(std::string_view source) {
    static constexpr std::array<std::string_view, 8> kLong = {"&&", "||", "==", "!=", "<=", ">=", "<", ">"};
    std::vector<Token> tokens;
    std::size_t at = 0;
    const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
    while (at < source.size()) {
        const char c = source[at];
        if (std::isspace(static_cast<unsigned char>(c))) {
            ++at;
        } else if (std::isdigit(static_cast<unsigned char>(c))) {
            const std::size_t begin = at;
            while (at < source.size() && (is_word(source[at]) || source[at] == '.')) ++at;
            const std::string text(source.substr(begin, at - begin));
            auto number = parse_json(text);
            if (!number || !number->is_number()) return invalid("number " + text + " is beyond this subset");
            tokens.push_back({Token::Kind::kNumber, text, std::move(*number)});
        } else if (is_word(c)) {
            const std::size_t begin = at;
            while (at < source.size() && is_word(source[at])) ++at;
            tokens.push_back({Token::Kind::kName, std::string(source.substr(begin, at - begin)), {}});
        } else if (c == '\'' || c == '"') {
            std::string text;
            for (++at; at < source.size() && source[at] != c; ++at) {
                if (source[at] != '\\') {
                    text += source[at];
                    continue;
                }
                if (++at >= source.size()) break;
                static constexpr std::string_view kEscapes = "\\\\\"\"''n\nt\tr\r";
                std::size_t known = 0;
                while (known < kEscapes.size() && kEscapes[known] != source[at]) known += 2;
                if (known >= kEscapes.size())
                    return invalid(fmt::format("escape \\{} is beyond this subset", source[at]));
                text += kEscapes[known + 1];
            }
            if (at >= source.size()) return invalid("a text that does not end");
            ++at;
            tokens.push_back({Token::Kind::kText, text, Json(text)});
        } else {
            std::string symbol(1, c);
            for (const std::string_view each : kLong) {
                if (source.substr(at).starts_with(each)) {
                    symbol = each;
                    break;
                }
            }
            at += symbol.size();
            tokens.push_back({Token::Kind::kSymbol, std::move(symbol), {}});
        }
    }
    tokens.push_back({});
    return tokens;
}

// Recursive descent, one function a level of precedence. The first problem is kept, and ends the parsing.
class Parser {
  public:
    explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    Result<ProgramPtr> parse() {
        auto program = std::make_shared<Program>();
        program->root = conditional();
        if (problem_.empty() && peek().kind != Token::Kind::kEnd) fail_at("end of expression");
        if (!problem_.empty()) return invalid(problem_);
        program->mentions_old_self = mentions_old_self_;
        return ProgramPtr(std::move(program));
    }

  private:
    using Kind = Expression::Kind;

    ExpressionPtr conditional() {
        if (++depth_ > kMaxDepth) fail_at("a shallower expression");
        ExpressionPtr condition = either();
        if (accept("?")) {
            ExpressionPtr result = make(Kind::kConditional, "?:");
            result->parts.push_back(std::move(condition));
            result->parts.push_back(conditional());
            expect(":");
            result->parts.push_back(conditional());
            condition = std::move(result);
        }
        --depth_;
        return condition;
    }
    ExpressionPtr either() {
        return binary({"||"}, [this] { return both(); });
    }
    ExpressionPtr both() {
        return binary({"&&"}, [this] { return comparison(); });
    }
    ExpressionPtr comparison() {
        return binary({"==", "!=", "<", "<=", ">", ">=", "in"}, [this] { return sum(); });
    }
    ExpressionPtr sum() {
        return binary({"+", "-"}, [this] { return product(); });
    }
    ExpressionPtr product() {
        return binary({"*", "/", "%"}, [this] { return unary(); });
    }

    template <typename Next>
    ExpressionPtr binary(const std::set<std::string_view>& operators, Next next) {
        ExpressionPtr left = next();
        while (problem_.empty() && is_operator() && operators.contains(peek().text)) {
            ExpressionPtr result = make(Kind::kBinary, take().text);
            result->parts.push_back(std::move(left));
            result->parts.push_back(next());
            left = std::move(result);
        }
        return left;
    }

    ExpressionPtr unary() {
        if (peek().kind == Token::Kind::kSymbol && (peek().text == "!" || peek().text == "-")) {
            if (++depth_ > kMaxDepth) fail_at("a shallower expression");
            ExpressionPtr result = make(Kind::kUnary, take().text);
            result->parts.push_back(problem_.empty() ? unary() : make(Kind::kLiteral, ""));
            --depth_;
            return result;
        }
        return suffixes(primary());
    }

    ExpressionPtr suffixes(ExpressionPtr value) {
        while (problem_.empty()) {
            if (accept(".")) {
                if (peek().kind != Token::Kind::kName) fail_at("a field name");
                const std::string name = take().text;
                value = accept("(") ? method(std::move(value), name) : member(std::move(value), name);
            } else if (accept("[")) {
                ExpressionPtr result = make(Kind::kIndex, "[]");
                result->parts.push_back(std::move(value));
                result->parts.push_back(conditional());
                expect("]");
                value = std::move(result);
            } else {
                break;
            }
        }
        return value;
    }

    ExpressionPtr member(ExpressionPtr of, const std::string& name) {
        ExpressionPtr result = make(Kind::kMember, name);
        result->parts.push_back(std::move(of));
        return result;
    }

    ExpressionPtr method(ExpressionPtr of, const std::string& name) {
        static const std::set<std::string_view> kMacros = {"all", "exists", "exists_one", "filter", "map"};
        static const std::set<std::string_view> kMethods = {"matches", "startsWith", "endsWith", "contains",
                                                            "size"};
        ExpressionPtr result = make(Kind::kMethod, name);
        result->parts.push_back(std::move(of));
        if (kMacros.contains(name)) {
            result->kind = Kind::kMacro;
            if (peek().kind != Token::Kind::kName) fail_at("a variable");
            result->variable = take().text;
            expect(",");
            result->parts.push_back(conditional());
            expect(")");
            return result;
        }
        if (!kMethods.contains(name)) fail_at("a function of this subset instead of " + name);
        arguments(*result);
        return result;
    }

    ExpressionPtr primary() {
        const Token token = take();
        switch (token.kind) {
            case Token::Kind::kNumber:
            case Token::Kind::kText: {
                ExpressionPtr result = make(Kind::kLiteral, token.text);
                result->literal = token.literal;
                return result;
            }
            case Token::Kind::kName:
                return name_or_call(token.text);
            case Token::Kind::kSymbol:
                if (token.text == "(") {
                    ExpressionPtr inner = conditional();
                    expect(")");
                    return inner;
                }
                if (token.text == "[") {
                    ExpressionPtr list = make(Kind::kList, "[]");
                    arguments(*list, "]");
                    return list;
                }
                break;
            case Token::Kind::kEnd:
                break;
        }
        fail_at("a value");
        return make(Kind::kLiteral, "");
    }

    ExpressionPtr name_or_call(const std::string& name) {
        static const std::set<std::string_view> kFunctions = {"has",    "size",   "int",
                                                              "string", "double", "type"};
        if (accept("(")) {
            if (!kFunctions.contains(name)) fail_at("a function of this subset instead of " + name);
            ExpressionPtr call = make(name == "has" ? Kind::kHas : Kind::kCall, name);
            arguments(*call);
            if (problem_.empty() &&
                (call->parts.size() != 1 || (name == "has" && call->parts[0]->kind != Kind::kMember))) {
                fail_at("one argument");
            }
            return call;
        }
        if (name == "oldSelf") mentions_old_self_ = true;
        ExpressionPtr result = make(Kind::kName, name);
        if (name == "true" || name == "false" || name == "null") {
            result->kind = Kind::kLiteral;
            result->literal = *parse_json(name);
        }
        return result;
    }

    void arguments(Expression& call, std::string_view end = ")") {
        if (accept(end)) return;
        do {
            call.parts.push_back(conditional());
        } while (problem_.empty() && accept(","));
        expect(end);
    }

    const Token& peek() const { return tokens_[at_]; }
    Token take() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_[at_]; }
    bool is_operator() const {
        return peek().kind == Token::Kind::kSymbol ||
               (peek().kind == Token::Kind::kName && peek().text == "in");
    }
    bool accept(std::string_view symbol) {
        if (peek().kind != Token::Kind::kSymbol || peek().text != symbol) return false;
        ++at_;
        return true;
    }
    void expect(std::string_view symbol) {
        if (!accept(symbol)) fail_at("'" + std::string(symbol) + "'");
    }
    void fail_at(const std::string& wanted) {
        if (problem_.empty()) problem_ = fmt::format("wanted {} before '{}'", wanted, peek().text);
    }
    static ExpressionPtr make(Kind kind, std::string text) {
        auto result = std::make_unique<Expression>();
        result->kind = kind;
        result->text = std::move(text);
        return result;
    }

    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    int depth_ = 0;
    bool mentions_old_self_ = false;
    std::string problem_;
};

}  // namespace

Result<ProgramPtr> compile(std::string_view source) {
    TRY(auto tokens, tokenize(source));
    return Parser(std::move(tokens)).parse();
}

bool mentions_old_self(const Program& program) {
    return program.mentions_old_self;
}

}  // namespace joiner::sim::cel
