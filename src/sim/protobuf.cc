#include "sim/protobuf.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/time.h"
#include "embedded_core_protos.h"
#include "kube/base64.h"
#include "sim/schema.h"

namespace joiner::sim {
namespace {

constexpr std::string_view kMagic{"k8s\0", 4};
constexpr int kMaxDepth = 40;

struct Field {
    std::string_view name;  // Of the JSON member; empty where the fields of `inlined` stand in its place.
    std::string_view inlined;
    bool keeps_zero = false;
};
using Fields = std::map<std::uint64_t, Field>;

const std::map<std::string_view, Fields>& messages() {
    static const auto kMessages = [] {
        std::map<std::string_view, Fields> out;
        Fields* fields = nullptr;
        for (const auto& file : embedded::core_protos()) {
            for (std::string_view rest = file.text; !rest.empty();) {
                std::string_view line = rest.substr(0, rest.find('\n'));
                rest.remove_prefix(std::min(rest.size(), line.size() + 1));
                if (line.empty() || line.front() == '#') continue;
                if (line.front() != ' ') {
                    fields = &out[line];
                    continue;
                }
                std::uint64_t number = 0;
                const auto end = std::from_chars(line.data() + 1, line.data() + line.size(), number).ptr;
                std::string_view name(end + 1, line.data() + line.size());
                CHECK(fields != nullptr && number > 0 && !name.empty());
                Field field;
                if (name.front() == '~') {
                    field.inlined = name.substr(1);
                } else {
                    field.keeps_zero = name.back() == '*';
                    field.name = name.substr(0, name.size() - (field.keeps_zero ? 1 : 0));
                }
                fields->emplace(number, field);
            }
        }
        return out;
    }();
    return kMessages;
}

// One field as it stands on the wire.
struct Part {
    std::uint64_t number = 0;
    std::uint64_t value = 0;  // Of a number, of whatever width.
    std::string_view bytes;   // Of everything else.
    bool is_bytes = false;
};

class Reader {
  public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}
    bool is_broken() const { return is_broken_; }

    std::optional<Part> next() {
        if (bytes_.empty() || is_broken_) return std::nullopt;
        const std::uint64_t key = varint();
        Part out;
        out.number = key >> 3;
        switch (key & 7) {
            case 0:
                out.value = varint();
                break;
            case 1:
                out.value = fixed(8);
                break;
            case 2: {
                const std::uint64_t size = varint();
                if (size > bytes_.size()) is_broken_ = true;
                out.is_bytes = true;
                out.bytes = bytes_.substr(0, is_broken_ ? 0 : size);
                bytes_.remove_prefix(out.bytes.size());
                break;
            }
            case 5:
                out.value = fixed(4);
                break;
            default:
                is_broken_ = true;
        }
        if (is_broken_) return std::nullopt;
        return out;
    }

  private:
    std::uint64_t varint() {
        std::uint64_t out = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (bytes_.empty()) break;
            const auto byte = static_cast<unsigned char>(bytes_.front());
            bytes_.remove_prefix(1);
            out |= std::uint64_t{byte & 0x7fu} << shift;
            if (byte < 0x80) return out;
        }
        is_broken_ = true;
        return 0;
    }
    std::uint64_t fixed(std::size_t size) {
        if (bytes_.size() < size) {
            is_broken_ = true;
            return 0;
        }
        std::uint64_t out = 0;
        for (std::size_t i = 0; i < size; ++i)
            out |= std::uint64_t{static_cast<unsigned char>(bytes_[i])} << (8 * i);
        bytes_.remove_prefix(size);
        return out;
    }

    std::string_view bytes_;
    bool is_broken_ = false;
};

// The part of this number; an empty one where there is none.
Part part(std::string_view message, std::uint64_t number) {
    Reader reader(message);
    while (const auto each = reader.next()) {
        if (each->number == number) return *each;
    }
    return {};
}

bool is_whole(std::string_view message) {
    Reader reader(message);
    while (reader.next()) {
    }
    return !reader.is_broken();
}

class Decoder {
  public:
    // Adds the message's fields to `into`.
    void read(const Schema& schema, std::string_view type, std::string_view bytes, Json& into, int depth) {
        const auto fields = messages().find(type);
        if (fields == messages().end() || depth > kMaxDepth) return fail(type);
        Reader reader(bytes);
        while (const auto each = reader.next()) {
            const auto field = fields->second.find(each->number);
            if (field == fields->second.end()) continue;
            const Field& its = field->second;
            if (!its.inlined.empty()) {
                read(schema, its.inlined, each->bytes, into, depth + 1);
                continue;
            }
            const auto property = schema.properties.find(its.name);
            if (property == schema.properties.end()) continue;
            add(*property->second, its, *each, into, depth);
        }
        if (reader.is_broken()) fail(type);
    }
    bool has_failed() const { return !problem_.empty(); }
    const std::string& problem() const { return problem_; }

  private:
    void fail(std::string_view type) {
        if (problem_.empty()) problem_ = fmt::format("the {} in the request cannot be read", type);
    }

    void add(const Schema& schema, const Field& field, const Part& part_of_it, Json& into, int depth) {
        const std::string name(field.name);
        if (schema.type == Schema::Type::kArray) {
            into[name].push_back(value(*schema.items, part_of_it, depth));
        } else if (schema.additional != nullptr) {
            const std::string key(part(part_of_it.bytes, 1).bytes);
            into[name][key] = value(*schema.additional, part(part_of_it.bytes, 2), depth);
        } else {
            Json read_value = value(schema, part_of_it, depth);
            // A field that is not set is written with its zero.
            const bool is_zero =
                read_value.is_null() || read_value == "" || read_value == 0 || read_value == false;
            if (!read_value.is_null() && (field.keeps_zero || !is_zero)) into[name] = std::move(read_value);
        }
    }

    Json value(const Schema& schema, const Part& its, int depth) {
        using Type = Schema::Type;
        if (!schema.name.empty()) {
            Json out = Json::object();
            read(schema, schema.name, its.bytes, out, depth + 1);
            return out;
        }
        if (schema.format == "date-time") return time(its.bytes);
        if (schema.format == "byte") return kube::encode_base64(its.bytes);
        if (schema.format == "quantity") return std::string(part(its.bytes, 1).bytes);
        if (schema.format == "int-or-string") {
            if (part(its.bytes, 1).value == 1) return std::string(part(its.bytes, 3).bytes);
            return static_cast<std::int32_t>(part(its.bytes, 2).value);
        }
        switch (schema.type) {
            case Type::kString:
                return std::string(its.bytes);
            case Type::kInteger:
                return static_cast<std::int64_t>(its.value);
            case Type::kNumber:
                return std::bit_cast<double>(its.value);
            case Type::kBoolean:
                return its.value != 0;
            default:
                break;
        }
        // JSON in an envelope of its own.
        Json out = Json::parse(part(its.bytes, 1).bytes, nullptr, false);
        return out.is_discarded() ? Json() : out;
    }

    static Json time(std::string_view bytes) {
        const auto seconds = static_cast<std::int64_t>(part(bytes, 1).value);
        const auto nanos = static_cast<std::int64_t>(part(bytes, 2).value);
        if (seconds == 0 && nanos == 0) return nullptr;
        std::string out = format_rfc3339(WallTime{std::chrono::seconds{seconds}});
        if (nanos > 0 && out.ends_with('Z')) {
            out.pop_back();
            out += fmt::format(".{:06}Z", nanos / 1000);
        }
        return out;
    }

    std::string problem_;
};

}  // namespace

Result<Json> json_of_protobuf(std::string_view body) {
    if (!body.starts_with(kMagic)) return invalid("the body is not of Kubernetes' protobuf format");
    body.remove_prefix(kMagic.size());
    if (!is_whole(body)) return invalid("the protobuf body of the request is cut short");
    const std::string_view about = part(body, 1).bytes;
    const std::string api_version(part(about, 1).bytes);
    const std::string kind(part(about, 2).bytes);
    const std::size_t slash = api_version.find('/');
    const std::string group = slash == std::string::npos ? "" : api_version.substr(0, slash);
    const std::string version = slash == std::string::npos ? api_version : api_version.substr(slash + 1);
    const Schema* schema = core_schema(group, version, kind);
    if (schema == nullptr) return invalid(fmt::format("{} {} is not a built-in kind", api_version, kind));
    Json out = {{"apiVersion", api_version}, {"kind", kind}};
    Decoder decoder;
    decoder.read(*schema, schema->name, part(body, 2).bytes, out, 0);
    if (decoder.has_failed()) return invalid(decoder.problem());
    return out;
}

}  // namespace joiner::sim
