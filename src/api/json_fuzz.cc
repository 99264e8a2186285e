// libFuzzer entry over every decoder: an answer for any text, errors in words, and claims and nodes that
// encode to what decodes to the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/codec.h"
#include "base/check.h"

namespace {

using namespace joiner::api;

template <typename T>
void read(joiner::Result<T> (*decoder)(std::string_view, DecodeNotes*), std::string_view json) {
    DecodeNotes notes;
    const auto object = decoder(json, &notes);
    CHECK(notes.unknown_fields.size() <= 100);
    if (!object) CHECK(!object.error().message.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view json(reinterpret_cast<const char*>(data), size);
    read(decode_pod, json);
    read(decode_node, json);
    read(decode_workload, json);
    read(decode_namespace, json);
    read(decode_persistent_volume_claim, json);
    read(decode_persistent_volume, json);
    read(decode_storage_class, json);
    read(decode_csi_node, json);
    read(decode_volume_attachment, json);
    read(decode_pod_disruption_budget, json);
    read(decode_priority_class, json);
    read(decode_runtime_class, json);
    read(decode_node_pool, json);
    read(decode_node_overlay, json);
    read(decode_capacity_buffer, json);
    read(decode_node_class, json);
    (void)decode_meta(json);
    if (const auto claim = decode_node_claim(json)) {
        const std::string text = encode_node_claim(*claim);
        const auto again = decode_node_claim(text);
        CHECK(again.has_value());
        CHECK(encode_node_claim(*again) == text);
    }
    if (const auto node = decode_node(json)) {
        const std::string text = encode_node(*node);
        const auto again = decode_node(text);
        CHECK(again.has_value());
        CHECK(encode_node(*again) == text);
    }
    return 0;
}
