#include "control/metered_provider.h"

#include <utility>

#include "api/names.h"

namespace joiner::control {
namespace {

std::string pool_of(const api::NodeClaim& claim) {
    return std::string(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel));
}

std::string error_label(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::kExhausted:
            return "InsufficientCapacityError";
        case ErrorKind::kNotFound:
            return "NodeClaimNotFoundError";
        case ErrorKind::kNotReady:
            return "NodeClassNotReadyError";
        case ErrorKind::kInvalid:
            return "CreateError";
        default:
            return "unknown";
    }
}

template <typename T>
const Error* error_of(const Result<T>& result) {
    return result ? nullptr : &result.error();
}
const Error* error_of(const cloud::LaunchAnswer& answer) {
    return error_of(answer.instance);
}

}  // namespace

template <typename T>
std::function<void(T)> MeteredProvider::metered(Call call, std::function<void(T)> done) {
    return [this, call = std::move(call), began = loop_.monotonic(), done = std::move(done)](T result) {
        observe::Labels labels = {{"controller", std::string(call.controller)},
                                  {"method", std::string(call.method)},
                                  {"provider", std::string(name())}};
        metrics_.observe("cloudprovider_duration_seconds", labels, to_seconds(loop_.monotonic() - began));
        if (const Error* error = error_of(result)) {
            labels["error"] = error_label(error->kind);
            labels["nodepool"] = call.pool;
            metrics_.count("cloudprovider_errors_total", labels);
        }
        done(std::move(result));
    };
}

std::string MeteredProvider::pool_of(const std::string& provider_id) const {
    const model::ClaimState* claim = cluster_.claim_with_id(provider_id);
    return claim == nullptr ? std::string{} : control::pool_of(claim->claim);
}

void MeteredProvider::create(const cloud::LaunchRequest& request, cloud::LaunchDone done) {
    const std::string pool = control::pool_of(request.claim);
    auto counted = [this, pool, done = std::move(done)](cloud::LaunchAnswer answer) {
        if (!answer.exhausted.empty())
            metrics_.count("joiner_launch_offerings_sold_out_total", {{"nodepool", pool}},
                           static_cast<double>(answer.exhausted.size()));
        done(std::move(answer));
    };
    own_.create(request,
                metered<cloud::LaunchAnswer>({"nodeclaim.lifecycle", "Create", pool}, std::move(counted)));
}

void MeteredProvider::remove(const std::string& provider_id, std::function<void(Status)> done) {
    own_.remove(provider_id,
                metered<Status>({"nodeclaim.lifecycle", "Delete", pool_of(provider_id)}, std::move(done)));
}

void MeteredProvider::get(const std::string& provider_id, std::function<void(Result<cloud::Instance>)> done) {
    own_.get(provider_id, metered<Result<cloud::Instance>>(
                              {"nodeclaim.lifecycle", "Get", pool_of(provider_id)}, std::move(done)));
}

void MeteredProvider::list(std::function<void(Result<std::vector<cloud::Instance>>)> done) {
    own_.list(metered<Result<std::vector<cloud::Instance>>>({"nodeclaim.garbagecollection", "List", ""},
                                                            std::move(done)));
}

void MeteredProvider::reboot(const api::NodeClaim& claim, const std::string& operation,
                             std::function<void(Status)> done) {
    own_.reboot(claim, operation,
                metered<Status>({"nodeclaim.reboot", "Reboot", control::pool_of(claim)}, std::move(done)));
}

}  // namespace joiner::control
