#include "cloud/ec2/aws/error.h"

#include <algorithm>
#include <array>

namespace joiner::cloud::ec2::aws {
namespace {

template <std::size_t N>
bool is_one_of(std::string_view code, const std::array<std::string_view, N>& codes) {
    return std::find(codes.begin(), codes.end(), code) != codes.end();
}

constexpr std::array<std::string_view, 11> kThrottling = {
    "RequestLimitExceeded",     "Throttling",
    "ThrottlingException",      "ThrottledException",
    "RequestThrottled",         "RequestThrottledException",
    "TooManyRequestsException", "SlowDown",
    "PriorRequestNotComplete",  "BandwidthLimitExceeded",
    "EC2ThrottledException"};
constexpr std::array<std::string_view, 9> kExpired = {
    "ExpiredToken",         "ExpiredTokenException",       "RequestExpired",
    "RequestTimeTooSkewed", "RequestInTheFuture",          "AuthFailure",
    "InvalidClientTokenId", "UnrecognizedClientException", "InvalidToken"};
constexpr std::array<std::string_view, 6> kOfTime = {
    "RequestExpired",        "RequestTimeTooSkewed",      "RequestInTheFuture",
    "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure"};
constexpr std::array<std::string_view, 9> kForbidden = {"UnauthorizedOperation", "AccessDenied",
                                                        "AccessDeniedException", "SignatureDoesNotMatch",
                                                        "OptInRequired",         "InvalidSignatureException",
                                                        "IncompleteSignature",   "MissingAuthenticationToken",
                                                        "NotAuthorized"};
constexpr std::array<std::string_view, 8> kNotFound = {"NoSuchEntity",
                                                       "ParameterNotFound",
                                                       "ResourceNotFoundException",
                                                       "QueueDoesNotExist",
                                                       "AWS.SimpleQueueService.NonExistentQueue",
                                                       "InvalidLaunchTemplateName.NotFoundException",
                                                       "InvalidLaunchTemplateId.NotFound",
                                                       "InvalidPlacementGroup.Unknown"};
constexpr std::array<std::string_view, 4> kConflict = {"EntityAlreadyExists",
                                                       "InvalidLaunchTemplateName.AlreadyExistsException",
                                                       "IdempotentParameterMismatch", "DeleteConflict"};
constexpr std::array<std::string_view, 6> kUnavailable = {"InternalError",      "InternalFailure",
                                                          "ServiceUnavailable", "ServiceUnavailableException",
                                                          "Unavailable",        "RequestTimeout"};

}  // namespace

bool is_throttling(std::string_view code) {
    return is_one_of(code, kThrottling);
}

bool is_expired_credentials(std::string_view code) {
    return is_one_of(code, kExpired);
}

bool may_be_for_its_time(std::string_view code) {
    return is_one_of(code, kOfTime);
}

ErrorKind kind_of_code(std::string_view code, int http_code) {
    if (is_throttling(code) || http_code == 429) return ErrorKind::kThrottled;
    if (is_one_of(code, kForbidden) || is_expired_credentials(code)) return ErrorKind::kForbidden;
    if (is_one_of(code, kNotFound) || code.ends_with(".NotFound")) return ErrorKind::kNotFound;
    if (is_one_of(code, kConflict)) return ErrorKind::kConflict;
    if (is_one_of(code, kUnavailable) || http_code >= 500) return ErrorKind::kUnavailable;
    if (code.empty() && (http_code == 401 || http_code == 403)) return ErrorKind::kForbidden;
    if (code.empty() && http_code == 404) return ErrorKind::kNotFound;
    return ErrorKind::kInvalid;
}

}  // namespace joiner::cloud::ec2::aws
