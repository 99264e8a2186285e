#include "act/settled_patches.h"

#include <fmt/format.h>

#include <utility>

#include "api/codec.h"
#include "base/hash.h"

namespace joiner::act {
namespace {

std::string key_of(const kube::Resource& resource, const api::ObjectMeta& meta) {
    return kube::path_of(resource, meta.ns, meta.name);
}

// Empty when the answer has none.
std::string version_in(const std::string& answer) {
    const auto meta = api::decode_meta(answer);
    return meta ? meta->resource_version : std::string{};
}

}  // namespace

void settle(Services& services, Settling& settling, const std::string& key, const Result<std::string>& result,
            std::string_view what) {
    const WallTime now = services.loop.now();
    if (result) return settling.done(key, version_in(*result), now);
    settling.failed(key, now);
    // A conflict, or a thing already gone, is the normal way to learn that our facts are old.
    const bool is_ordinary =
        result.error().kind == ErrorKind::kConflict || result.error().kind == ErrorKind::kNotFound;
    if (!is_ordinary) services.notices.failed(what, result.error());
}

bool SettledPatches::may_send(const kube::Resource& resource, const api::ObjectMeta& seen) {
    return settling_.may_act(key_of(resource, seen), seen.resource_version, services_.loop.now());
}

void SettledPatches::send(const kube::Resource& resource, const api::ObjectMeta& seen,
                          std::string_view subresource, std::string body, std::function<void(bool)> after) {
    const std::string key = key_of(resource, seen);
    const std::uint64_t digest = fnv1a(body);
    const auto dropped = dropped_.find(key);
    if (dropped != dropped_.end()) {
        if (dropped->second == Dropped{seen.resource_version, digest}) return;
        dropped_.erase(dropped);
    }
    settling_.begin(key);
    services_.client.patch(
        resource, seen.ns, seen.name, subresource, kube::PatchType::kMerge, std::move(body),
        [this, key, digest, seen_version = seen.resource_version,
         what = fmt::format("patch {} {}{}{}", resource.kind, seen.ns, seen.ns.empty() ? "" : "/", seen.name),
         after = std::move(after)](const Result<std::string>& result) {
            settle(services_, settling_, key, result, what);
            // A server that knows a field no longer, or not yet, drops it and calls that done.
            const bool is_changed = result && version_in(*result) != seen_version;
            if (result && !is_changed) dropped_[key] = {seen_version, digest};
            if (after) after(is_changed);
        });
}

}  // namespace joiner::act
