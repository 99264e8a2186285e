#include "base/result.h"

namespace joiner {

const char* to_string(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::kInvalid:
            return "invalid";
        case ErrorKind::kNotFound:
            return "not found";
        case ErrorKind::kConflict:
            return "conflict";
        case ErrorKind::kGone:
            return "gone";
        case ErrorKind::kUnavailable:
            return "unavailable";
        case ErrorKind::kThrottled:
            return "throttled";
        case ErrorKind::kForbidden:
            return "forbidden";
        case ErrorKind::kExhausted:
            return "exhausted";
        case ErrorKind::kNotReady:
            return "not ready";
        case ErrorKind::kInternal:
            return "internal";
    }
    return "internal";
}

}  // namespace joiner
