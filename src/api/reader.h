// Walks one parsed JSON document and keeps the first mistake with its path. Private to this layer's decoders:
// it is the one header that shows simdjson, so only .cc files here include it. One owner, one thread.
#pragma once

#include <simdjson.h>

#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/codec.h"
#include "api/core.h"
#include "api/karpenter.h"
#include "api/meta.h"

namespace joiner::api {

struct Path {
    const Path* parent = nullptr;
    std::string_view key;
    std::size_t index = 0;  // Used where `key` is empty.
};
std::string to_string(const Path* path);

struct ReadContext {
    std::optional<Error> error;
    DecodeNotes* notes = nullptr;
};

class Value {
  public:
    Value(simdjson::dom::element element, const Path* path, ReadContext& context)
        : element_(element), path_(path), context_(context) {}

    // Calls `read_field(key, value)` for each member; it returns whether it knew the key. `ignored` lists,
    // between blanks, keys that are known to the API and not kept. A null counts as absent.
    template <typename F>
    void each_field(std::string_view ignored, F read_field) const {
        if (element_.is_null()) return;
        simdjson::dom::object object;
        if (element_.get(object) != simdjson::SUCCESS) return wrong_type("an object");
        for (const auto& [key, member] : object) {
            if (context_.error) return;
            if (member.is_null()) continue;
            const Path path{path_, key, 0};
            if (!read_field(std::string_view(key), Value(member, &path, context_)))
                note_unknown(key, ignored);
        }
    }
    template <typename F>
    void each_item(F read_item) const {
        if (element_.is_null()) return;
        simdjson::dom::array array;
        if (element_.get(array) != simdjson::SUCCESS) return wrong_type("a list");
        std::size_t index = 0;
        for (const simdjson::dom::element item : array) {
            if (context_.error) return;
            const Path path{path_, {}, index++};
            read_item(Value(item, &path, context_));
        }
    }

    // The same value, reporting to another context.
    Value with(const Path* path, ReadContext& context) const { return Value(element_, path, context); }

    void fail(const std::string& what) const;
    void wrong_type(std::string_view wanted) const;

    // The value as text whether it is written as a string or a number (IntOrString, quantities).
    bool text_or_number(std::string& out) const;

    // The value as JSON, for whoever else reads it.
    std::string text() const { return simdjson::minify(element_); }

    // read() returns true so that a field reader can end with `return field.read(member);`.
    bool read(std::string& out) const;
    bool read(bool& out) const;
    bool read(std::int64_t& out) const;
    bool read(std::int32_t& out) const;
    bool read(StringMap& out) const;
    bool read(ResourceMap& out) const;
    bool read(Quantity& out) const;
    bool read(WallTime& out) const;
    bool read(Duration& out) const;
    bool read(IntOrPercent& out) const;
    template <typename T>
    bool read(std::optional<T>& out) const {
        T value{};
        read(value);
        out = std::move(value);
        return true;
    }
    template <typename T>
    bool read(std::vector<T>& out) const {
        out.clear();
        each_item([&](const Value& item) { item.read(out.emplace_back()); });
        out.shrink_to_fit();  // Most are kept for as long as their object is there.
        return true;
    }
    // Any other struct has a free function read_value(const Value&, T&) beside its decoder.
    template <typename T>
    bool read(T& out) const {
        read_value(*this, out);
        return true;
    }

  private:
    void note_unknown(std::string_view key, std::string_view ignored) const;

    simdjson::dom::element element_;
    const Path* path_;
    ReadContext& context_;
};

void read_value(const Value& value, OwnerReference& out);
void read_value(const Value& value, ObjectMeta& out);
void read_value(const Value& value, Condition& out);
void read_value(const Value& value, SelectorRequirement& out);
void read_value(const Value& value, LabelSelector& out);
void read_value(const Value& value, Taint& out);
void read_value(const Value& value, Pod& out);
void read_value(const Value& value, PersistentVolumeClaim& out);

// Parses `json`, reads it into a T, and names the object in the error.
using ReadDocument = void (*)(const Value&, void*);
Status read_document(std::string_view json, DecodeNotes* notes, ReadDocument read, void* out);

template <typename T>
Result<T> decode(std::string_view json, DecodeNotes* notes) {
    T out;
    TRY_STATUS(read_document(
        json, notes, [](const Value& value, void* target) { value.read(*static_cast<T*>(target)); }, &out));
    return out;
}

}  // namespace joiner::api
