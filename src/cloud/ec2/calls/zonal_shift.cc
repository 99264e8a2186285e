#include "cloud/ec2/calls/zonal_shift.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/aws/encoding.h"
#include "cloud/ec2/calls/json_call.h"
#include "cloud/ec2/calls/json_reader.h"

namespace joiner::cloud::ec2 {
namespace {

using nlohmann::json;

// Seconds since 1970.
std::optional<WallTime> time_at(const json& object, const char* key) {
    const json& value = at(object, key);
    constexpr double kMost = 9e9;  // Beyond it nanoseconds do not fit.
    if (!value.is_number()) return std::nullopt;
    const double seconds = value.get<double>();
    if (!(seconds > 0 && seconds < kMost)) return std::nullopt;
    return WallTime{from_seconds(seconds)};
}

}  // namespace

void ArcZonalShift::get_managed_resource(const std::string& arn, aws::Done<std::vector<ShiftedZone>> done) {
    aws::Call call;
    call.service = aws::Service::kZonalShift;
    call.protocol = aws::Protocol::kJson;
    call.name = "GetManagedResource";
    call.method = "GET";
    call.target = "/managedresources/" + aws::percent_encode(arn);
    ask_for_object<std::vector<ShiftedZone>>(
        client_, std::move(call), std::move(done), [](const json& object) {
            std::vector<ShiftedZone> out;
            for (const char* list : {"zonalShifts", "autoshifts"}) {
                for (const json& shift : at(object, list))
                    out.push_back({text_at(shift, "awayFrom"), text_at(shift, "appliedStatus") == "APPLIED",
                                   time_at(shift, "expiryTime")});
            }
            return out;
        });
}

}  // namespace joiner::cloud::ec2
