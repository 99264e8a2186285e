#include "cloud/ec2/launch/fleet_codes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joiner::cloud::ec2 {
namespace {

FleetError error(const char* code, const char* message = "") {
    return {code, message, "", {}, ""};
}

TEST(FleetCodes, codes_of_capacity_are_stock_outs) {
    for (const char* code :
         {"InsufficientInstanceCapacity", "MaxSpotInstanceCountExceeded", "VcpuLimitExceeded",
          "UnfulfillableCapacity", "Unsupported", "InsufficientFreeAddressesInSubnet",
          "MaxFleetCountExceeded", "ReservationCapacityExceeded", "SpotMaxPriceTooLow",
          "InvalidCapacityReservationState.Unavailable",
          "AuthFailure.ServiceLinkedRoleCreationNotPermitted"}) {
        EXPECT_NE(fault_of(code), FleetFault::kOther) << code;
        EXPECT_EQ(error_of_fleet({error(code)}).kind, ErrorKind::kExhausted) << code;
    }
}

TEST(FleetCodes, a_spread_placement_group_that_is_full_in_a_zone_is_known_by_the_message) {
    const FleetError full = error("InvalidParameterValue",
                                  "You have reached the limit of instances in this spread placement group");
    EXPECT_EQ(fault_of(full), FleetFault::kSpreadFull);
    EXPECT_EQ(error_of_fleet({full}).kind, ErrorKind::kExhausted);
    EXPECT_EQ(fault_of(error("InvalidParameterValue", "Some other limit")), FleetFault::kOther);
}

TEST(FleetCodes, the_gravest_of_the_others_decides) {
    const struct {
        FleetError error;
        const char* reason;
        ErrorKind kind;
    } kCases[] = {
        {error("UnauthorizedOperation", "You are not authorized"), "Unauthorized", ErrorKind::kForbidden},
        {error("AccessDenied"), "Unauthorized", ErrorKind::kForbidden},
        {error("AuthFailure", "Not authorized for images: [ami-1]"), "AMIAuthorizationFailure",
         ErrorKind::kInvalid},
        {error("InvalidParameterValue",
               "Value (x) for parameter iamInstanceProfile.name is invalid. Invalid IAM "
               "Instance Profile name"),
         "InstanceProfileNameInvalid", ErrorKind::kUnavailable},
        {error("InvalidUserData.Malformed", "User data is limited to 16384 bytes"),
         "UserDataSizeLimitExceeded", ErrorKind::kInvalid},
        {error("InvalidAMIID.NotFound"), "AMINotFound", ErrorKind::kNotReady},
        {error("InvalidAMIID.Malformed"), "InvalidAMIID", ErrorKind::kInvalid},
        {error("RequestLimitExceeded"), "RequestLimitExceeded", ErrorKind::kThrottled},
        {error("InternalError"), "InternalError", ErrorKind::kUnavailable},
        {error("PendingVerification"), "AccountPendingVerification", ErrorKind::kForbidden},
        {error("Strange"), "LaunchFailed", ErrorKind::kInvalid},
    };
    for (const auto& each : kCases) {
        const Error found =
            error_of_fleet({error("InsufficientInstanceCapacity"), error("Strange"), each.error});
        EXPECT_EQ(found.kind, each.kind) << each.error.code;
        EXPECT_THAT(found.message, ::testing::HasSubstr(each.reason));
    }
}

}  // namespace
}  // namespace joiner::cloud::ec2
