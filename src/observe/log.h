// JSON lines on standard output, with Karpenter's keys: level, time, logger, message, commit and what else
// belongs to the line. Set up once at start-up; any thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace joiner::observe {

// `level`: debug, info, error, or empty for info. `path`: "stdout", "stderr" or a file; errors go to
// `error_path` too.
void set_up_log(const std::string& level, const std::string& path, const std::string& error_path);

using Fields = std::initializer_list<std::pair<std::string_view, std::string>>;
void log_debug(std::string_view logger, std::string_view message, Fields fields = {});
void log_info(std::string_view logger, std::string_view message, Fields fields = {});
void log_error(std::string_view logger, std::string_view message, Fields fields = {});

enum class Level { kDebug, kInfo };
// For those whose lines are dear to make.
bool logs(Level level);
// `object`: one JSON object on one line; the log's line has it under `key`.
void log_object(Level level, std::string_view logger, std::string_view message, std::string_view key,
                std::string_view object);

}  // namespace joiner::observe
