#include "api/reader.h"

#include <fmt/format.h>

namespace joiner::api {

std::string to_string(const Path* path) {
    if (path == nullptr) return {};
    std::string out = to_string(path->parent);
    if (path->key.empty()) return out + fmt::format("[{}]", path->index);
    if (!out.empty()) out += '.';
    out += path->key.substr(0, 100);
    return out;
}

void Value::fail(const std::string& what) const {
    if (context_.error) return;
    const std::string path = to_string(path_);
    context_.error = Error{ErrorKind::kInvalid, path.empty() ? what : path + ": " + what};
}

void Value::wrong_type(std::string_view wanted) const {
    fail(fmt::format("is not {}", wanted));
}

void Value::note_unknown(std::string_view key, std::string_view ignored) const {
    constexpr std::size_t kMaxNotes = 100;
    if (context_.notes == nullptr || context_.notes->unknown_fields.size() >= kMaxNotes) return;
    for (std::size_t at = ignored.find(key); at != std::string_view::npos; at = ignored.find(key, at + 1)) {
        const std::size_t end = at + key.size();
        if ((at == 0 || ignored[at - 1] == ' ') && (end == ignored.size() || ignored[end] == ' ')) return;
    }
    if (ignored == "*") return;
    const Path path{path_, key, 0};
    context_.notes->unknown_fields.push_back(to_string(&path));
}

bool Value::text_or_number(std::string& out) const {
    std::string_view text;
    if (element_.get(text) == simdjson::SUCCESS) {
        out = text;
        return true;
    }
    std::int64_t whole = 0;
    if (element_.get(whole) == simdjson::SUCCESS) {
        out = fmt::format("{}", whole);
        return true;
    }
    double number = 0;
    if (element_.get(number) == simdjson::SUCCESS) {
        out = fmt::format("{}", number);
        return true;
    }
    wrong_type("a string or a number");
    return false;
}

bool Value::read(std::string& out) const {
    std::string_view text;
    if (element_.get(text) != simdjson::SUCCESS) {
        wrong_type("a string");
    } else {
        out = text;
    }
    return true;
}

bool Value::read(bool& out) const {
    if (element_.get(out) != simdjson::SUCCESS) wrong_type("true or false");
    return true;
}

bool Value::read(std::int64_t& out) const {
    if (element_.get(out) != simdjson::SUCCESS) {
        double number = 0;
        constexpr double kExact = 9007199254740992.0;
        if (element_.get(number) != simdjson::SUCCESS || number > kExact || number < -kExact ||
            number != static_cast<double>(static_cast<std::int64_t>(number))) {
            wrong_type("a whole number");
        } else {
            out = static_cast<std::int64_t>(number);
        }
    }
    return true;
}

bool Value::read(std::int32_t& out) const {
    std::int64_t wide = 0;
    read(wide);
    if (wide > std::numeric_limits<std::int32_t>::max() || wide < std::numeric_limits<std::int32_t>::min()) {
        fail("is beyond 32 bits");
    } else {
        out = static_cast<std::int32_t>(wide);
    }
    return true;
}

bool Value::read(StringMap& out) const {
    out.clear();
    each_field("",
               [&](std::string_view key, const Value& value) { return value.read(out[std::string(key)]); });
    return true;
}

bool Value::read(Quantity& out) const {
    std::string text;
    if (!text_or_number(text)) return true;
    auto quantity = Quantity::parse(text);
    if (!quantity) {
        fail(quantity.error().message);
    } else {
        out = *quantity;
    }
    return true;
}

bool Value::read(ResourceMap& out) const {
    out.clear();
    each_field("",
               [&](std::string_view key, const Value& value) { return value.read(out[std::string(key)]); });
    return true;
}

bool Value::read(WallTime& out) const {
    std::string text;
    read(text);
    if (text.empty()) return true;
    const auto time = parse_rfc3339(text);
    if (!time) {
        fail(time.error().message);
    } else {
        out = *time;
    }
    return true;
}

bool Value::read(Duration& out) const {
    std::string text;
    read(text);
    const auto duration = parse_duration(text);
    if (!duration) {
        fail(duration.error().message);
    } else {
        out = *duration;
    }
    return true;
}

bool Value::read(IntOrPercent& out) const {
    std::string text;
    if (!text_or_number(text)) return true;
    out.is_percent = !text.empty() && text.back() == '%';
    if (out.is_percent) text.pop_back();
    std::int64_t value = 0;
    if (text.empty() || text.size() > 10) return fail("is not a whole number or a percentage"), true;
    for (const char c : text) {
        if (c < '0' || c > '9') return fail("is not a whole number or a percentage"), true;
        value = value * 10 + (c - '0');
    }
    out.value = value;
    return true;
}

void read_value(const Value& value, OwnerReference& out) {
    value.each_field("", [&](std::string_view key, const Value& field) {
        if (key == "apiVersion") return field.read(out.api_version);
        if (key == "kind") return field.read(out.kind);
        if (key == "name") return field.read(out.name);
        if (key == "uid") return field.read(out.uid);
        if (key == "controller") return field.read(out.controller);
        if (key == "blockOwnerDeletion") return field.read(out.block_owner_deletion);
        return false;
    });
}

void read_value(const Value& value, ObjectMeta& out) {
    constexpr std::string_view kIgnored = "managedFields generateName selfLink deletionGracePeriodSeconds";
    value.each_field(kIgnored, [&](std::string_view key, const Value& field) {
        if (key == "name") return field.read(out.name);
        if (key == "namespace") return field.read(out.ns);
        if (key == "uid") return field.read(out.uid);
        if (key == "resourceVersion") return field.text_or_number(out.resource_version);
        if (key == "generation") return field.read(out.generation);
        if (key == "labels") return field.read(out.labels);
        if (key == "annotations") return field.read(out.annotations);
        if (key == "ownerReferences") return field.read(out.owners);
        if (key == "finalizers") return field.read(out.finalizers);
        if (key == "creationTimestamp") return field.read(out.created);
        if (key == "deletionTimestamp") return field.read(out.deleted);
        return false;
    });
}

void read_value(const Value& value, Condition& out) {
    constexpr std::string_view kIgnored = "lastProbeTime lastHeartbeatTime";
    value.each_field(kIgnored, [&](std::string_view key, const Value& field) {
        if (key == "type") return field.read(out.type);
        if (key == "status") return field.read(out.status);
        if (key == "reason") return field.read(out.reason);
        if (key == "message") return field.read(out.message);
        if (key == "lastTransitionTime") return field.read(out.last_transition);
        if (key == "observedGeneration") return field.read(out.observed_generation);
        return false;
    });
}

void read_value(const Value& value, SelectorRequirement& out) {
    value.each_field("", [&](std::string_view key, const Value& field) {
        if (key == "key") return field.read(out.key);
        if (key == "operator") return field.read(out.op);
        if (key == "values") return field.read(out.values);
        if (key == "minValues") return field.read(out.min_values);
        return false;
    });
}

void read_value(const Value& value, LabelSelector& out) {
    value.each_field("", [&](std::string_view key, const Value& field) {
        if (key == "matchLabels") return field.read(out.match_labels);
        if (key == "matchExpressions") return field.read(out.match_expressions);
        return false;
    });
}

void read_value(const Value& value, Taint& out) {
    value.each_field("", [&](std::string_view key, const Value& field) {
        if (key == "key") return field.read(out.key);
        if (key == "value") return field.read(out.value);
        if (key == "effect") return field.read(out.effect);
        if (key == "timeAdded") return field.read(out.time_added);
        return false;
    });
}

Status read_document(std::string_view json, DecodeNotes* notes, ReadDocument read, void* out) {
    // One parser a thread: it keeps its buffers, which would cost more than the parsing.
    thread_local simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (const auto error = parser.parse(json.data(), json.size()).get(root)) {
        return invalid(fmt::format("not valid JSON: {}", simdjson::error_message(error)));
    }
    ReadContext context{std::nullopt, notes};
    read(Value(root, nullptr, context), out);
    if (!context.error) return {};
    std::string_view kind;
    std::string_view name;
    if (root["kind"].get(kind) == simdjson::SUCCESS &&
        root["metadata"]["name"].get(name) == simdjson::SUCCESS) {
        context.error->message = fmt::format("{} {}: {}", kind, name, context.error->message);
    }
    return tl::unexpected<Error>(*context.error);
}

}  // namespace joiner::api
