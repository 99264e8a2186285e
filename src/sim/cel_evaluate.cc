#include <fmt/format.h>
#include <re2/re2.h>

#include <charconv>

#include "sim/cel_program.h"

namespace joiner::sim::cel {
namespace {

using Kind = Expression::Kind;
using Value = Result<Json>;

struct Scope {
    const Scope* outer = nullptr;
    std::string_view name;
    const Json* value = nullptr;
};

Value no_such(std::string_view function) {
    return invalid(fmt::format("no such overload: {}", function));
}

Value evaluate_at(const Expression& expression, const Scope* scope);

Value size_of(const Json& value) {
    if (value.is_array() || value.is_object()) return Json(value.size());
    if (!value.is_string()) return no_such("size");
    std::size_t runes = 0;
    for (const char c : value.get_ref<const std::string&>())
        runes += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    return Json(runes);
}

Value call(const Expression& expression, const Scope* scope) {
    TRY(const Json value, evaluate_at(*expression.parts[0], scope));
    if (expression.text == "size") return size_of(value);
    if (expression.text == "string") return value.is_string() ? value : Json(to_text(value));
    if (expression.text == "double")
        return value.is_number() ? Value(value.get<double>()) : no_such("double");
    if (expression.text == "type") return Json(value.is_number_integer() ? "int" : value.type_name());
    if (value.is_number()) return Json(value.get<std::int64_t>());
    if (!value.is_string()) return no_such("int");
    const auto& text = value.get_ref<const std::string&>();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return invalid(fmt::format("type conversion error from string to int: {}", text));
    }
    return Json(number);
}

Value method(const Expression& expression, const Scope* scope) {
    TRY(const Json target, evaluate_at(*expression.parts[0], scope));
    if (expression.text == "size") return size_of(target);
    if (expression.parts.size() != 2) return no_such(expression.text);
    TRY(const Json argument, evaluate_at(*expression.parts[1], scope));
    if (!target.is_string() || !argument.is_string()) return no_such(expression.text);
    const auto& text = target.get_ref<const std::string&>();
    const auto& other = argument.get_ref<const std::string&>();
    if (expression.text == "startsWith") return Json(text.starts_with(other));
    if (expression.text == "endsWith") return Json(text.ends_with(other));
    if (expression.text == "contains") return Json(text.find(other) != std::string::npos);
    const re2::RE2 pattern(other, re2::RE2::Quiet);
    if (!pattern.ok()) return invalid("not a regular expression: " + other);
    return Json(re2::RE2::PartialMatch(text, pattern));
}

// all, exists and exists_one take a verdict even from a list where some elements fail to evaluate.
Value macro(const Expression& expression, const Scope* scope) {
    TRY(const Json range, evaluate_at(*expression.parts[0], scope));
    std::vector<Json> elements;
    if (range.is_array()) elements.assign(range.begin(), range.end());
    if (range.is_object()) {
        for (const auto& [key, value] : range.items()) elements.emplace_back(key);
    }
    const std::string& name = expression.text;
    Json list = Json::array();
    std::size_t count = 0;
    Status problem;
    for (const Json& element : elements) {
        const Scope inner{scope, expression.variable, &element};
        Value value = evaluate_at(*expression.parts[1], &inner);
        if (name == "map") {
            TRY(Json mapped, std::move(value));
            list.push_back(std::move(mapped));
            continue;
        }
        if (!value || !value->is_boolean()) {
            problem = value ? invalid("no such overload: " + name) : tl::unexpected<Error>(value.error());
            continue;
        }
        if (value->get<bool>()) {
            ++count;
            if (name == "filter") list.push_back(element);
            if (name == "exists") return Json(true);
        } else if (name == "all") {
            return Json(false);
        }
    }
    if (!problem) return tl::unexpected<Error>(problem.error());
    if (name == "map" || name == "filter") return list;
    if (name == "all") return Json(true);
    return Json(name == "exists_one" && count == 1);
}

Value logical(const Expression& expression, const Scope* scope) {
    // An error on one side does not matter when the other side decides.
    const bool decisive = expression.text == "||";
    const Value left = evaluate_at(*expression.parts[0], scope);
    if (left && left->is_boolean() && left->get<bool>() == decisive) return Json(decisive);
    const Value right = evaluate_at(*expression.parts[1], scope);
    if (right && right->is_boolean() && right->get<bool>() == decisive) return Json(decisive);
    if (!left) return left;
    if (!right) return right;
    if (!left->is_boolean() || !right->is_boolean()) return no_such(expression.text);
    return Json(!decisive);
}

Value arithmetic(const std::string& op, const Json& left, const Json& right) {
    if (op == "+" && left.is_string() && right.is_string())
        return Json(left.get<std::string>() + right.get<std::string>());
    if (!left.is_number() || !right.is_number()) return no_such(op);
    if (left.is_number_integer() && right.is_number_integer()) {
        const auto a = left.get<std::int64_t>();
        const auto b = right.get<std::int64_t>();
        std::int64_t result = 0;
        bool overflows = false;
        if (op == "+") overflows = __builtin_add_overflow(a, b, &result);
        if (op == "-") overflows = __builtin_sub_overflow(a, b, &result);
        if (op == "*") overflows = __builtin_mul_overflow(a, b, &result);
        if (op == "/" || op == "%") {
            if (b == 0) return invalid("division by zero");
            if (b == -1) return op == "/" ? Value(Json(-a)) : Value(Json(0));
            result = op == "/" ? a / b : a % b;
        }
        return overflows ? Value(invalid("integer overflow")) : Value(Json(result));
    }
    const double a = left.get<double>();
    const double b = right.get<double>();
    if (op == "+") return Json(a + b);
    if (op == "-") return Json(a - b);
    if (op == "*") return Json(a * b);
    return op == "/" ? Value(Json(a / b)) : no_such(op);
}

Value binary(const Expression& expression, const Scope* scope) {
    const std::string& op = expression.text;
    if (op == "&&" || op == "||") return logical(expression, scope);
    TRY(const Json left, evaluate_at(*expression.parts[0], scope));
    TRY(const Json right, evaluate_at(*expression.parts[1], scope));
    if (op == "==") return Json(left == right);
    if (op == "!=") return Json(left != right);
    if (op == "in") {
        if (right.is_object())
            return Json(left.is_string() && right.contains(left.get_ref<const std::string&>()));
        if (!right.is_array()) return no_such("in");
        return Json(std::find(right.begin(), right.end(), left) != right.end());
    }
    if (op == "<" || op == "<=" || op == ">" || op == ">=") {
        const bool is_comparable =
            (left.is_number() && right.is_number()) || (left.is_string() && right.is_string());
        if (!is_comparable) return no_such(op);
        if (op == "<") return Json(left < right);
        if (op == "<=") return Json(left <= right);
        return Json(op == ">" ? left > right : left >= right);
    }
    return arithmetic(op, left, right);
}

Value member(const Expression& expression, const Scope* scope) {
    TRY(const Json value, evaluate_at(*expression.parts[0], scope));
    if (!value.is_object()) return no_such("." + expression.text);
    const auto found = value.find(expression.text);
    if (found == value.end()) return invalid("no such key: " + expression.text);
    return *found;
}

Value index(const Expression& expression, const Scope* scope) {
    TRY(const Json value, evaluate_at(*expression.parts[0], scope));
    TRY(const Json key, evaluate_at(*expression.parts[1], scope));
    if (value.is_object() && key.is_string()) {
        const auto found = value.find(key.get_ref<const std::string&>());
        if (found == value.end()) return invalid("no such key: " + key.get<std::string>());
        return *found;
    }
    if (!value.is_array() || !key.is_number_integer()) return no_such("[]");
    const auto at = key.get<std::int64_t>();
    if (at < 0 || static_cast<std::size_t>(at) >= value.size())
        return invalid(fmt::format("index out of bounds: {}", at));
    return value[static_cast<std::size_t>(at)];
}

Value evaluate_at(const Expression& expression, const Scope* scope) {
    switch (expression.kind) {
        case Kind::kLiteral:
            return expression.literal;
        case Kind::kName:
            for (const Scope* at = scope; at; at = at->outer) {
                if (at->name == expression.text && at->value) return *at->value;
            }
            return invalid("undeclared reference to '" + expression.text + "'");
        case Kind::kList: {
            Json list = Json::array();
            for (const ExpressionPtr& part : expression.parts) {
                TRY(Json value, evaluate_at(*part, scope));
                list.push_back(std::move(value));
            }
            return list;
        }
        case Kind::kMember:
            return member(expression, scope);
        case Kind::kIndex:
            return index(expression, scope);
        case Kind::kHas: {
            const Expression& wanted = *expression.parts[0];
            TRY(const Json value, evaluate_at(*wanted.parts[0], scope));
            return value.is_object() ? Value(Json(value.contains(wanted.text))) : no_such("has");
        }
        case Kind::kCall:
            return call(expression, scope);
        case Kind::kMethod:
            return method(expression, scope);
        case Kind::kMacro:
            return macro(expression, scope);
        case Kind::kUnary: {
            TRY(const Json value, evaluate_at(*expression.parts[0], scope));
            if (expression.text == "!")
                return value.is_boolean() ? Value(Json(!value.get<bool>())) : no_such("!");
            if (value.is_number_integer()) return arithmetic("-", Json(0), value);
            return value.is_number() ? Value(Json(-value.get<double>())) : no_such("-");
        }
        case Kind::kBinary:
            return binary(expression, scope);
        case Kind::kConditional: {
            TRY(const Json condition, evaluate_at(*expression.parts[0], scope));
            if (!condition.is_boolean()) return no_such("?:");
            return evaluate_at(*expression.parts[condition.get<bool>() ? 1 : 2], scope);
        }
    }
    return invalid("unknown expression");
}

}  // namespace

Result<bool> evaluate(const Program& program, const Json& self, const Json* old_self) {
    const Scope old_scope{nullptr, "oldSelf", old_self};
    const Scope scope{&old_scope, "self", &self};
    TRY(const Json value, evaluate_at(*program.root, &scope));
    if (!value.is_boolean()) return invalid("the rule is not a yes or no");
    return value.get<bool>();
}

}  // namespace joiner::sim::cel
