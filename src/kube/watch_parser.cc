#include "kube/watch_parser.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <optional>
#include <utility>

namespace joiner::kube {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kKeptCapacity = 1u
                                      << 20;  // A buffer that grew beyond this for one event is given back.
constexpr std::string_view kInitialEventsEnd = "k8s.io/initial-events-end";

std::optional<WatchEvent::Type> type_of(std::string_view text) {
    if (text == "ADDED") return WatchEvent::Type::kAdded;
    if (text == "MODIFIED") return WatchEvent::Type::kModified;
    if (text == "DELETED") return WatchEvent::Type::kDeleted;
    if (text == "BOOKMARK") return WatchEvent::Type::kBookmark;
    if (text == "ERROR") return WatchEvent::Type::kError;
    return std::nullopt;
}

tl::unexpected<Error> fail_json(const char* what, simdjson::error_code code) {
    return invalid(fmt::format("{}: {}", what, simdjson::error_message(code)));
}

struct Metadata {
    std::string_view resource_version;  // Empty: there is none.
    bool ends_initial_events = false;
};

// Whether the reading may go on after `code`. After any other error simdjson has let go of the text, and
// asking it for more is undefined.
bool is_harmless(simdjson::error_code code) {
    return code == simdjson::SUCCESS || code == simdjson::NO_SUCH_FIELD || code == simdjson::INCORRECT_TYPE;
}

simdjson::error_code read_annotations(ondemand::value value, Metadata& metadata) {
    ondemand::object annotations;
    if (const auto code = value.get_object().get(annotations)) return code;
    std::string_view text;
    const auto code = annotations[kInitialEventsEnd].get_string().get(text);
    metadata.ends_initial_events = code == simdjson::SUCCESS && text == "true";
    return code;
}

simdjson::error_code read_metadata(ondemand::object& object, Metadata& metadata) {
    ondemand::object fields;
    if (const auto code = object["metadata"].get_object().get(fields)) return code;
    for (auto field : fields) {
        std::string_view key;
        if (const auto code = field.unescaped_key().get(key)) return code;
        if (key != "resourceVersion" && key != "annotations") continue;
        ondemand::value value;
        if (const auto code = field.value().get(value)) return code;
        const auto code = key == "annotations" ? read_annotations(value, metadata)
                                               : value.get_string().get(metadata.resource_version);
        if (!is_harmless(code)) return code;
    }
    return simdjson::SUCCESS;
}

// The object's extent in the text, however far into it the reading has come.
Result<std::string_view> raw_text(ondemand::object& object) {
    if (const auto code = object.reset().error()) return fail_json("object", code);
    std::string_view raw;
    if (const auto code = object.raw_json().get(raw)) return fail_json("object", code);
    while (!raw.empty() && raw.back() != '}') raw.remove_suffix(1);
    return raw;
}

// Where `type` follows the object, whether to look for metadata is known only in the end: a Status has none.
Result<WatchEvent> read_event(ondemand::document& document) {
    ondemand::object root;
    if (const auto code = document.get_object().get(root)) return fail_json("not an event", code);
    std::optional<WatchEvent::Type> type;
    std::optional<std::string_view> raw;
    Metadata metadata;
    for (auto field : root) {
        std::string_view key;
        if (const auto code = field.unescaped_key().get(key)) return fail_json("not an event", code);
        if (key == "type") {
            std::string_view text;
            if (const auto code = field.value().get_string().get(text)) return fail_json("type", code);
            type = type_of(text);
            if (!type) return invalid(fmt::format("unknown event type \"{}\"", text.substr(0, 40)));
        } else if (key == "object") {
            ondemand::object object;
            if (const auto code = field.value().get_object().get(object)) return fail_json("object", code);
            metadata = {};
            if (const auto code = read_metadata(object, metadata); !is_harmless(code)) {
                return fail_json("metadata", code);
            }
            TRY(raw, raw_text(object));
        }
    }
    if (!type) return invalid("the event has no type");
    if (!raw) return invalid("the event has no object");
    WatchEvent event{.type = *type, .object = *raw, .resource_version = {}, .ends_initial_events = false};
    if (*type == WatchEvent::Type::kError) return event;
    if (metadata.resource_version.empty()) return invalid("the object has no metadata.resourceVersion");
    event.resource_version = metadata.resource_version;
    event.ends_initial_events = *type == WatchEvent::Type::kBookmark && metadata.ends_initial_events;
    return event;
}

simdjson::padded_string_view padded(std::string& text) {
    text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    return simdjson::padded_string_view(text.data(), text.size(), text.capacity());
}

Status read_list_metadata(ondemand::value value, ListMeta& meta) {
    ondemand::object fields;
    if (const auto code = value.get_object().get(fields)) return fail_json("list metadata", code);
    for (auto field : fields) {
        std::string_view key;
        if (const auto code = field.unescaped_key().get(key)) return fail_json("list metadata", code);
        if (key != "resourceVersion" && key != "continue") continue;
        std::string_view text;
        if (const auto code = field.value().get_string().get(text)) return fail_json("list metadata", code);
        (key == "continue" ? meta.continue_token : meta.resource_version) = text;
    }
    return {};
}

// False when `on_item` wants no more.
Result<bool> read_items(ondemand::value value, const std::function<bool(std::string_view)>& on_item) {
    bool is_null = false;
    if (const auto code = value.is_null().get(is_null)) return fail_json("items", code);
    if (is_null) return true;  // An empty list, as Go may write it.
    ondemand::array items;
    if (const auto code = value.get_array().get(items)) return fail_json("items", code);
    for (auto item : items) {
        ondemand::object object;
        if (const auto code = item.get_object().get(object)) return fail_json("items", code);
        TRY(const std::string_view raw, raw_text(object));
        if (!on_item(raw)) return false;
    }
    return true;
}

}  // namespace

class WatchParser::Impl {
  public:
    explicit Impl(std::size_t max_event_bytes) : max_event_bytes_(max_event_bytes) { reset(); }

    void feed(std::string_view data, const Sink& sink) {
        while (!data.empty()) {
            const std::size_t line_end = data.find('\n');
            const bool goes_on = take_piece(data.substr(0, line_end), sink);
            if (!goes_on) return reset();
            if (line_end == std::string_view::npos) return;
            data.remove_prefix(line_end + 1);
            if (std::exchange(is_skipping_, false)) continue;
            if (!take_line(sink)) return reset();
        }
    }

    bool is_inside_event() const { return is_skipping_ || !line_.empty(); }

    void reset() {
        line_.clear();
        is_skipping_ = false;
        give_back();
    }

  private:
    bool take_piece(std::string_view piece, const Sink& sink) {
        if (is_skipping_) return true;
        if (line_.size() + piece.size() <= max_event_bytes_) {
            line_.append(piece);
            return true;
        }
        is_skipping_ = true;
        line_.clear();
        give_back();
        return sink(invalid(fmt::format("an event is longer than {} bytes", max_event_bytes_)));
    }

    bool take_line(const Sink& sink) {
        while (!line_.empty() && static_cast<unsigned char>(line_.back()) <= ' ') line_.pop_back();
        if (line_.empty()) return true;
        const bool goes_on = sink(parse_line());
        line_.clear();
        give_back();
        return goes_on;
    }

    Result<WatchEvent> parse_line() {
        ondemand::document document;
        if (const auto code = parser_->iterate(padded(line_)).get(document))
            return fail_json("not JSON", code);
        return read_event(document);
    }

    void give_back() {
        if (parser_ && line_.capacity() <= kKeptCapacity) return;
        line_ = std::string();
        parser_ = std::make_unique<ondemand::parser>();
    }

    const std::size_t max_event_bytes_;
    std::string line_;          // What has come of the event under way.
    bool is_skipping_ = false;  // The event under way was too long and has been reported.
    std::unique_ptr<ondemand::parser> parser_;
};

WatchParser::WatchParser(std::size_t max_event_bytes) : impl_(std::make_unique<Impl>(max_event_bytes)) {}
WatchParser::~WatchParser() = default;
void WatchParser::feed(std::string_view data, const Sink& sink) {
    impl_->feed(data, sink);
}
bool WatchParser::is_inside_event() const {
    return impl_->is_inside_event();
}
void WatchParser::reset() {
    impl_->reset();
}

Result<ListMeta> parse_list(std::string& body, const std::function<bool(std::string_view)>& on_item) {
    ondemand::parser parser;
    ondemand::document document;
    if (const auto code = parser.iterate(padded(body)).get(document)) return fail_json("not JSON", code);
    ondemand::object root;
    if (const auto code = document.get_object().get(root)) return fail_json("not a list", code);
    ListMeta meta;
    bool has_items = false;
    for (auto field : root) {
        std::string_view key;
        if (const auto code = field.unescaped_key().get(key)) return fail_json("not a list", code);
        if (key != "metadata" && key != "items") continue;
        ondemand::value value;
        if (const auto code = field.value().get(value)) return fail_json("not a list", code);
        if (key == "metadata") {
            TRY_STATUS(read_list_metadata(value, meta));
        } else {
            has_items = true;
            TRY(const bool goes_on, read_items(value, on_item));
            if (!goes_on) return ListMeta{};
        }
    }
    if (!has_items) return invalid("not a list: it has no items");
    if (meta.resource_version.empty()) return invalid("the list has no metadata.resourceVersion");
    return meta;
}

}  // namespace joiner::kube
