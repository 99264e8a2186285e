// libFuzzer entry over the first API: an answer for any text, some dozens of sentences at most, and texts
// that are JSON.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/codec.h"
#include "api/first_api.h"
#include "base/check.h"

namespace {

using namespace joiner::api;

void check_class(const joiner::Result<FirstApiClass>& read) {
    if (!read) {
        CHECK(!read.error().message.empty());
        return;
    }
    CHECK(read->problems.size() <= 50 && read->lost.size() <= 50);
    const auto spec = decode_node_class(R"({"spec":)" + read->spec + "}");
    CHECK(spec.has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view json(reinterpret_cast<const char*>(data), size);
    check_class(first_api_class_of_template(json, json));
    check_class(first_api_class_of_provider(json));
    (void)first_api_kubelet(json);
    const auto reference = first_api_reference(json);
    if (!reference) return 0;
    (void)first_api_kubelet(reference->kubelet);
    const auto pool = first_api_pool(json, first_api_class_name("p", *reference), Defaults::kWritten);
    CHECK(pool.has_value());
    CHECK(pool->problems.size() <= 50 && pool->lost.size() <= 50);
    const auto decoded = decode_node_pool(pool->node_pool);
    if (!decoded) CHECK(decoded.error().message.find("metadata") != std::string::npos);
    return 0;
}
