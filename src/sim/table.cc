#include "sim/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace joiner::sim {
namespace {

Json age_of(const std::string& text, WallTime now) {
    if (text.empty()) return "<unknown>";
    const auto time = parse_rfc3339(text);
    return time ? Json(human_duration(now - *time)) : Json("<invalid>");
}

// ".status.conditions[?(@.type==\"Ready\")].status" taken apart step by step.
class PathFinder {
  public:
    explicit PathFinder(std::string_view path) : path_(path) {}

    std::vector<const Json*> find(const Json& root) {
        std::vector<const Json*> values = {&root};
        while (at_ < path_.size() && !values.empty()) {
            if (path_[at_] == '.') {
                ++at_;
                values = members(values, take_name());
            } else if (path_[at_] == '[') {
                const std::size_t end = path_.find(']', at_);
                if (end == std::string_view::npos) return {};
                values = elements(values, path_.substr(at_ + 1, end - at_ - 1));
                at_ = end + 1;
            } else {
                values = members(values, take_name());
            }
        }
        return values;
    }

  private:
    std::string take_name() {
        std::string name;
        while (at_ < path_.size() && path_[at_] != '.' && path_[at_] != '[') {
            if (path_[at_] == '\\' && at_ + 1 < path_.size()) ++at_;
            name += path_[at_++];
        }
        return name;
    }

    static std::vector<const Json*> members(const std::vector<const Json*>& values, const std::string& name) {
        std::vector<const Json*> result;
        for (const Json* value : values) {
            if (!value->is_object()) continue;
            const auto member = value->find(name);
            if (member != value->end()) result.push_back(&*member);
        }
        return result;
    }

    static std::vector<const Json*> elements(const std::vector<const Json*>& values,
                                             std::string_view inside) {
        std::vector<const Json*> result;
        for (const Json* value : values) {
            if (value->is_object() && (inside.starts_with('\'') || inside.starts_with('"'))) {
                const auto member = value->find(std::string(inside.substr(1, inside.size() - 2)));
                if (member != value->end()) result.push_back(&*member);
            }
            if (!value->is_array()) continue;
            if (inside == "*") {
                for (const Json& item : *value) result.push_back(&item);
            } else if (inside.starts_with("?(")) {
                filter(*value, inside.substr(2, inside.size() - 3), result);
            } else {
                std::size_t index = 0;
                const auto [end, error] =
                    std::from_chars(inside.data(), inside.data() + inside.size(), index);
                if (error == std::errc{} && index < value->size()) result.push_back(&(*value)[index]);
            }
        }
        return result;
    }

    static void filter(const Json& list, std::string_view test, std::vector<const Json*>& result) {
        const std::size_t equals = test.find("==");
        if (equals == std::string_view::npos) return;
        std::string_view left = test.substr(0, equals);
        std::string_view right = test.substr(equals + 2);
        const auto trim = [](std::string_view& text) {
            while (text.starts_with(' ')) text.remove_prefix(1);
            while (text.ends_with(' ')) text.remove_suffix(1);
        };
        trim(left);
        trim(right);
        if (left.starts_with('@')) left.remove_prefix(1);
        if (right.size() >= 2 && (right.front() == '"' || right.front() == '\''))
            right = right.substr(1, right.size() - 2);
        for (const Json& item : list) {
            const auto found = PathFinder(left).find(item);
            if (found.size() != 1) continue;
            const std::string value =
                found[0]->is_string() ? found[0]->get<std::string>() : to_text(*found[0]);
            if (value == right) result.push_back(&item);
        }
    }

    std::string_view path_;
    std::size_t at_ = 0;
};

Json custom_cell(const PrinterColumn& column, const Json& object, WallTime now) {
    const auto values = find_json_path(object, column.json_path);
    if (values.empty()) return nullptr;
    const Json& value = *values.front();
    if (column.type == "date") return age_of(value.is_string() ? value.get<std::string>() : "", now);
    if (column.type == "string") {
        std::string text;
        for (const Json* each : values) {
            text +=
                (text.empty() ? "" : ",") + (each->is_string() ? each->get<std::string>() : to_text(*each));
        }
        return text;
    }
    if (column.type == "integer") return value.is_number() ? Json(value.get<std::int64_t>()) : Json(nullptr);
    return value;
}

Json columns_of(const ResourceType& type) {
    Json columns = Json::array();
    const auto add = [&](std::string_view name, std::string_view kind, std::string_view format,
                         std::string_view description, int priority) {
        columns.push_back({{"name", name},
                           {"type", kind},
                           {"format", format},
                           {"description", description},
                           {"priority", priority}});
    };
    if (!type.is_custom) {
        for (const TableColumn& column : built_in_columns(type)) {
            add(column.name, column.type, std::string_view(column.name) == "Name" ? "name" : "", "",
                column.priority);
        }
        return columns;
    }
    add("Name", "string", "name", "", 0);
    for (const PrinterColumn& column : type.columns)
        add(column.name, column.type, column.format, column.description, column.priority);
    return columns;
}

Json row_of(const ResourceType& type, const Json& object, WallTime now) {
    Json cells = Json::array();
    if (type.is_custom) {
        cells.push_back(name_of(object));
        for (const PrinterColumn& column : type.columns) cells.push_back(custom_cell(column, object, now));
    } else {
        for (const TableColumn& column : built_in_columns(type)) cells.push_back(column.cell({object, now}));
    }
    return {{"cells", std::move(cells)}, {"object", metadata_only(object)}};
}

}  // namespace

std::vector<const Json*> find_json_path(const Json& object, const std::string& path) {
    std::string_view text = path;
    if (text.starts_with('{') && text.ends_with('}')) text = text.substr(1, text.size() - 2);
    return PathFinder(text).find(object);
}

std::string human_duration(Duration age) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
    if (seconds < -1) return "<invalid>";
    if (seconds < 0) return "0s";
    if (seconds < 120) return fmt::format("{}s", seconds);
    const auto minutes = seconds / 60;
    if (minutes < 10)
        return seconds % 60 == 0 ? fmt::format("{}m", minutes) : fmt::format("{}m{}s", minutes, seconds % 60);
    if (minutes < 180) return fmt::format("{}m", minutes);
    const auto hours = minutes / 60;
    if (hours < 8)
        return minutes % 60 == 0 ? fmt::format("{}h", hours) : fmt::format("{}h{}m", hours, minutes % 60);
    if (hours < 48) return fmt::format("{}h", hours);
    const auto days = hours / 24;
    if (days < 8) return hours % 24 == 0 ? fmt::format("{}d", days) : fmt::format("{}d{}h", days, hours % 24);
    if (days < 730) return fmt::format("{}d", days);
    return days % 365 == 0 ? fmt::format("{}y", days / 365) : fmt::format("{}y{}d", days / 365, days % 365);
}

Json metadata_only(const Json& object) {
    return {{"kind", "PartialObjectMetadata"},
            {"apiVersion", "meta.k8s.io/v1"},
            {"metadata", object_at(object, {"metadata"})}};
}

Json table_of(const ResourceType& type, const std::vector<const Json*>& objects, WallTime now,
              bool with_columns) {
    Json table = {{"kind", "Table"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", Json::object()}};
    table["columnDefinitions"] = with_columns ? columns_of(type) : Json(nullptr);
    Json rows = Json::array();
    for (const Json* object : objects) rows.push_back(row_of(type, *object, now));
    table["rows"] = std::move(rows);
    if (objects.size() == 1)
        table["metadata"]["resourceVersion"] = text_at(*objects[0], {"metadata", "resourceVersion"});
    return table;
}

}  // namespace joiner::sim
