#include "io/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace joiner::io {
namespace {

tl::unexpected<Error> fail_errno(const std::string& path, int number) {
    const ErrorKind kind = number == ENOENT || number == ENOTDIR ? ErrorKind::kNotFound
                           : number == EACCES                    ? ErrorKind::kForbidden
                           : number == EISDIR                    ? ErrorKind::kInvalid
                                                                 : ErrorKind::kUnavailable;
    return fail(kind, fmt::format("{}: {}", path, std::strerror(number)));
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail_errno(path, errno);
    std::string text;
    char buffer[16384];
    ssize_t count = 0;
    do {
        count = read(fd, buffer, sizeof buffer);
        if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
    } while ((count > 0 && text.size() <= max_bytes) || (count < 0 && errno == EINTR));
    const int number = errno;
    close(fd);
    if (count < 0) return fail_errno(path, number);
    if (text.size() > max_bytes) return invalid(fmt::format("{}: larger than {} bytes", path, max_bytes));
    return text;
}

}  // namespace joiner::io
