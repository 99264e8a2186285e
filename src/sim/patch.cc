#include "sim/patch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace joiner::sim {
namespace {

constexpr std::string_view kDeleteFromList = "$deleteFromPrimitiveList/";
constexpr std::string_view kElementOrder = "$setElementOrder/";

const Schema* property_of(const Schema* schema, std::string_view key) {
    static const Schema* const kMetadata = core_schemas().at("meta.v1.ObjectMeta");
    if (!schema) return nullptr;
    const auto property = schema->properties.find(key);
    if (property == schema->properties.end()) return schema->additional;
    // A custom resource's own schema says nothing of its metadata.
    return key == "metadata" && property->second->properties.empty() ? kMetadata : property->second;
}

void drop_nulls(Json& json) {
    if (!json.is_object()) return;
    for (auto member = json.begin(); member != json.end();) {
        if (member->is_null()) {
            member = json.erase(member);
        } else {
            drop_nulls(*member);
            ++member;
        }
    }
}

bool contains(const Json& list, const Json& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

class StrategicMerge {
  public:
    std::string problem;

    void merge_object(const Schema* schema, Json& target, const Json& patch) {
        const Json before = has_order(patch) ? target : Json();
        if (const auto directive = patch.find("$patch"); directive != patch.end()) {
            if (*directive == "replace") {
                target = patch;
                target.erase("$patch");
                return;
            }
            if (*directive == "delete") {
                target = Json::object();
                return;
            }
        }
        if (const Json& kept = array_at(patch, {"$retainKeys"}); patch.contains("$retainKeys")) {
            for (auto member = target.begin(); member != target.end();) {
                member = contains(kept, member.key()) ? std::next(member) : target.erase(member);
            }
        }
        for (const auto& [key, value] : patch.items()) {
            if (key.starts_with(kDeleteFromList))
                delete_from_list(target, key.substr(kDeleteFromList.size()), value);
            if (key.starts_with("$")) continue;
            merge_member(property_of(schema, key), target, key, value);
        }
        for (const auto& [key, value] : patch.items()) {
            if (!key.starts_with(kElementOrder)) continue;
            const std::string field = key.substr(kElementOrder.size());
            const Schema* property = property_of(schema, field);
            if (target.contains(field))
                set_order(target[field], property ? property->merge_key : "", value,
                          array_at(before, {field}));
        }
    }

  private:
    static bool has_order(const Json& patch) {
        for (const auto& [key, value] : patch.items()) {
            if (key.starts_with(kElementOrder)) return true;
        }
        return false;
    }

    void merge_member(const Schema* schema, Json& target, const std::string& key, const Json& value) {
        if (value.is_null()) {
            target.erase(key);
            return;
        }
        const auto existing = target.find(key);
        const bool exists = existing != target.end();
        if (value.is_object()) {
            if (!exists || !existing->is_object()) target[key] = Json::object();
            merge_object(schema, target[key], value);
            return;
        }
        if (value.is_array() && schema && schema->merges_lists) {
            if (!exists || !existing->is_array()) target[key] = Json::array();
            merge_list(*schema, target[key], value);
            return;
        }
        target[key] = value;
    }

    void merge_list(const Schema& schema, Json& target, const Json& patch) {
        const Json before = target;
        merge_elements(schema, target, patch);
        set_order(target, schema.merge_key, patch, before);
    }

    void merge_elements(const Schema& schema, Json& target, const Json& patch) {
        if (schema.merge_key.empty()) {
            for (const Json& value : patch) {
                if (!contains(target, value)) target.push_back(value);
            }
            return;
        }
        const bool replaces = std::any_of(patch.begin(), patch.end(), [](const Json& item) {
            return item.is_object() && item.value("$patch", "") == "replace";
        });
        if (replaces) target = Json::array();
        for (const Json& item : patch) {
            if (!item.is_object() || item.value("$patch", "") == "replace") continue;
            const auto key = item.find(schema.merge_key);
            if (key == item.end()) {
                problem = fmt::format("map: {} does not contain declared merge key: {}", to_text(item),
                                      schema.merge_key);
                return;
            }
            const auto same = std::find_if(target.begin(), target.end(), [&](const Json& each) {
                return each.is_object() && each.contains(schema.merge_key) && each[schema.merge_key] == *key;
            });
            if (item.value("$patch", "") == "delete") {
                if (same != target.end()) target.erase(same);
            } else if (same != target.end()) {
                merge_object(schema.items, *same, item);
            } else {
                Json added = Json::object();
                merge_object(schema.items, added, item);
                target.push_back(std::move(added));
            }
        }
    }

    static void delete_from_list(Json& target, const std::string& key, const Json& values) {
        const auto list = target.find(key);
        if (list == target.end() || !list->is_array() || !values.is_array()) return;
        Json kept = Json::array();
        for (const Json& value : *list) {
            if (!contains(values, value)) kept.push_back(value);
        }
        *list = std::move(kept);
    }

    // Elements that `order` names keep its order among themselves, the others theirs; where the two meet, the
    // place in `before` decides, and new elements come first.
    static void set_order(Json& list, const std::string& merge_key, const Json& order, const Json& before) {
        if (!list.is_array() || !order.is_array()) return;
        const auto place_in = [&](const Json& where, const Json& item) -> std::ptrdiff_t {
            const auto same = std::find_if(where.begin(), where.end(), [&](const Json& each) {
                if (merge_key.empty()) return each == item;
                return each.is_object() && item.is_object() && each.contains(merge_key) &&
                       item.contains(merge_key) && each[merge_key] == item[merge_key];
            });
            return same == where.end() ? -1 : same - where.begin();
        };
        std::vector<Json> named;
        std::vector<Json> others;
        for (const Json& item : list) (place_in(order, item) >= 0 ? named : others).push_back(item);
        std::stable_sort(named.begin(), named.end(), [&](const Json& a, const Json& b) {
            return place_in(order, a) < place_in(order, b);
        });
        Json result = Json::array();
        auto other = others.begin();
        for (const Json& item : named) {
            const std::ptrdiff_t place = place_in(before, item);
            while (place >= 0 && other != others.end() && place_in(before, *other) < place)
                result.push_back(*other++);
            result.push_back(item);
        }
        for (; other != others.end(); ++other) result.push_back(*other);
        list = std::move(result);
    }
};

bool has_same_keys(const Schema& list, const Json& a, const Json& b) {
    return std::all_of(list.map_keys.begin(), list.map_keys.end(), [&](const std::string& key) {
        const Json* left = find(a, {key});
        const Json* right = find(b, {key});
        return left && right ? *left == *right : left == right || key == "protocol";
    });
}

void apply_list(const Schema& schema, Json& target, const Json& applied) {
    for (const Json& item : applied) {
        if (schema.list_type == "set") {
            if (!contains(target, item)) target.push_back(item);
            continue;
        }
        const auto same = std::find_if(target.begin(), target.end(),
                                       [&](const Json& each) { return has_same_keys(schema, each, item); });
        if (same == target.end()) {
            target.push_back(item);
        } else {
            apply_configuration(schema.items, *same, item);
        }
    }
}

}  // namespace

Answer<Json> apply_json_patch(Json object, const Json& patch) {
    if (!patch.is_array()) {
        return bad_request("json: cannot unmarshal " + std::string(patch.type_name()) +
                           " into Go value of type jsonpatch.Patch");
    }
    try {
        return object.patch(patch);
    } catch (const Json::exception&) {
        return Refusal(ApiError{422, "Invalid",
                                "the server rejected our request due to an error in our request",
                                Json::object(), 0});
    }
}

void apply_merge_patch(Json& object, const Json& patch) {
    object.merge_patch(patch);
}

Answer<Json> apply_strategic_patch(const Schema* schema, Json object, const Json& patch) {
    StrategicMerge merge;
    merge.merge_object(schema, object, patch);
    if (!merge.problem.empty()) return bad_request(merge.problem);
    drop_nulls(object);
    return object;
}

void apply_configuration(const Schema* schema, Json& object, const Json& applied) {
    if (!object.is_object() || !applied.is_object() || (schema && schema->is_atomic_map)) {
        object = applied;
        return;
    }
    for (const auto& [key, value] : applied.items()) {
        const Schema* property = property_of(schema, key);
        const auto existing = object.find(key);
        const bool merges_list = existing != object.end() && existing->is_array() && value.is_array() &&
                                 property && (property->list_type == "map" || property->list_type == "set");
        if (existing == object.end() || value.is_null()) {
            object[key] = value;
        } else if (merges_list) {
            apply_list(*property, *existing, value);
        } else {
            apply_configuration(property, *existing, value);
        }
    }
}

}  // namespace joiner::sim
