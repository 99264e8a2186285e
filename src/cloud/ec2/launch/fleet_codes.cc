#include "cloud/ec2/launch/fleet_codes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/cut.h"

namespace joiner::cloud::ec2 {
namespace {

constexpr std::array<std::string_view, 9> kCapacityCodes = {"InsufficientInstanceCapacity",
                                                            "MaxSpotInstanceCountExceeded",
                                                            "VcpuLimitExceeded",
                                                            "UnfulfillableCapacity",
                                                            "Unsupported",
                                                            "MaxFleetCountExceeded",
                                                            "ReservationCapacityExceeded",
                                                            "SpotMaxPriceTooLow",
                                                            "InvalidCapacityReservationState.Unavailable"};

// What stops a launch, the gravest first. An empty code or text fits all.
struct Cause {
    std::string_view code;  // How the code begins.
    std::string_view text;  // Stands in the message.
    std::string_view reason;
    ErrorKind kind;
};
constexpr std::array<Cause, 21> kCauses = {{
    {"UnauthorizedOperation", "", "Unauthorized", ErrorKind::kForbidden},
    {"AccessDenied", "", "Unauthorized", ErrorKind::kForbidden},
    {"AuthFailure", "image", "AMIAuthorizationFailure", ErrorKind::kInvalid},
    {"AuthFailure", "", "Unauthorized", ErrorKind::kForbidden},
    {"InvalidParameter", "same network", "SecurityGroupSubnetVPCMismatch", ErrorKind::kInvalid},
    {"InvalidParameter", "different networks", "SecurityGroupSubnetVPCMismatch", ErrorKind::kInvalid},
    // A profile that has just been made is not known everywhere for some seconds.
    {"InvalidParameterValue", "IAM Instance Profile", "InstanceProfileNameInvalid", ErrorKind::kUnavailable},
    {"InvalidParameterValue", "iamInstanceProfile", "InstanceProfileNameInvalid", ErrorKind::kUnavailable},
    {"InvalidLaunchTemplate", "", "LaunchTemplateNotFound", ErrorKind::kUnavailable},
    {"InvalidUserData.Malformed", "limited", "UserDataSizeLimitExceeded", ErrorKind::kInvalid},
    {"InvalidAMIID.NotFound", "", "AMINotFound", ErrorKind::kNotReady},
    {"InvalidAMIID", "", "InvalidAMIID", ErrorKind::kInvalid},
    {"RequestLimitExceeded", "", "RequestLimitExceeded", ErrorKind::kThrottled},
    {"InternalError", "", "InternalError", ErrorKind::kUnavailable},
    {"ServerInternal", "", "InternalError", ErrorKind::kUnavailable},
    {"InvalidParameterCombination", "Free Tier", "FreeTierIneligible", ErrorKind::kInvalid},
    {"FleetQuotaExceeded", "", "FleetQuotaExceeded", ErrorKind::kThrottled},
    {"PendingVerification", "", "AccountPendingVerification", ErrorKind::kForbidden},
    {"InvalidSubnetID.NotFound", "", "SubnetNotFound", ErrorKind::kNotReady},
    {"InvalidGroup.NotFound", "", "SecurityGroupNotFound", ErrorKind::kNotReady},
    {"", "", "LaunchFailed", ErrorKind::kInvalid},
}};

bool contains_in_any_case(std::string_view text, std::string_view part) {
    if (part.empty()) return true;
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::search(text.begin(), text.end(), part.begin(), part.end(),
                       [&](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

bool is_of_capacity(FleetFault fault) {
    return fault == FleetFault::kCapacity || fault == FleetFault::kSubnetFull ||
           fault == FleetFault::kSpotRole || fault == FleetFault::kSpreadFull;
}

}  // namespace

FleetFault fault_of(std::string_view code) {
    if (std::find(kCapacityCodes.begin(), kCapacityCodes.end(), code) != kCapacityCodes.end())
        return FleetFault::kCapacity;
    if (code == "InsufficientFreeAddressesInSubnet") return FleetFault::kSubnetFull;
    if (code == "AuthFailure.ServiceLinkedRoleCreationNotPermitted") return FleetFault::kSpotRole;
    if (code == "InvalidLaunchTemplateName.NotFoundException" || code == "InvalidLaunchTemplateId.NotFound")
        return FleetFault::kTemplateGone;
    return FleetFault::kOther;
}

FleetFault fault_of(const FleetError& error) {
    if (contains_in_any_case(error.message, "limit of instances in this spread placement group"))
        return FleetFault::kSpreadFull;
    return fault_of(std::string_view(error.code));
}

Error error_of_fleet(const std::vector<FleetError>& errors) {
    const FleetError* gravest = nullptr;
    const Cause* cause = nullptr;
    for (const FleetError& error : errors) {
        if (is_of_capacity(fault_of(error))) continue;
        for (const Cause& each : kCauses) {
            if (!error.code.starts_with(each.code) || !contains_in_any_case(error.message, each.text))
                continue;
            if (cause == nullptr || &each < cause) {
                cause = &each;
                gravest = &error;
            }
            break;
        }
    }
    if (gravest == nullptr) return {ErrorKind::kExhausted, "EC2 has none of what was asked for", 0};
    return {cause->kind,
            fmt::format("CreateFleet: {}: {}: {}", cause->reason, cut_with_dots(gravest->code, 100),
                        cut_with_dots(gravest->message, 500)),
            0};
}

}  // namespace joiner::cloud::ec2
