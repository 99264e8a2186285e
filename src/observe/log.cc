#include "observe/log.h"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <nlohmann/json.hpp>

namespace joiner::observe {
namespace {

using Json = nlohmann::ordered_json;

std::shared_ptr<spdlog::logger>& logger_for(bool error) {
    static std::shared_ptr<spdlog::logger> loggers[2];
    return loggers[error ? 1 : 0];
}

spdlog::sink_ptr make_sink(const std::string& path) {
    if (path == "stderr") return std::make_shared<spdlog::sinks::stderr_sink_mt>();
    if (path.empty() || path == "stdout") return std::make_shared<spdlog::sinks::stdout_sink_mt>();
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
}

// `object`: JSON that follows the fields, or nothing.
void write(spdlog::level::level_enum level, std::string_view name, std::string_view message, Fields fields,
           const std::string& object = {}) {
    const bool is_error = level >= spdlog::level::err;
    const auto& logger = logger_for(is_error);
    if (!logger || !logger->should_log(level)) return;
    Json line = {{"level", is_error ? "ERROR" : level == spdlog::level::debug ? "DEBUG" : "INFO"}};
    // The pattern puts the time in; the rest of the line follows it.
    line["logger"] = std::string(name);
    line["message"] = std::string(message);
    line["commit"] = JOINER_VERSION;
    for (const auto& [key, value] : fields) line[std::string(key)] = value;
    std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace).substr(1);
    text.insert(text.size() - 1, object);
    logger->log(level, text);
}

spdlog::level::level_enum as_spdlog(Level level) {
    return level == Level::kDebug ? spdlog::level::debug : spdlog::level::info;
}

}  // namespace

void set_up_log(const std::string& level, const std::string& path, const std::string& error_path) {
    for (const bool is_error : {false, true}) {
        auto logger = std::make_shared<spdlog::logger>(is_error ? "error" : "log",
                                                       make_sink(is_error ? error_path : path));
        logger->set_pattern("{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",%v", spdlog::pattern_time_type::utc);
        logger->set_level(level == "debug"   ? spdlog::level::debug
                          : level == "error" ? spdlog::level::err
                                             : spdlog::level::info);
        logger->flush_on(spdlog::level::debug);
        logger_for(is_error) = std::move(logger);
    }
}

void log_debug(std::string_view logger, std::string_view message, Fields fields) {
    write(spdlog::level::debug, logger, message, fields);
}
void log_info(std::string_view logger, std::string_view message, Fields fields) {
    write(spdlog::level::info, logger, message, fields);
}
void log_error(std::string_view logger, std::string_view message, Fields fields) {
    write(spdlog::level::err, logger, message, fields);
}

bool logs(Level level) {
    const auto& logger = logger_for(false);
    return logger && logger->should_log(as_spdlog(level));
}

void log_object(Level level, std::string_view logger, std::string_view message, std::string_view key,
                std::string_view object) {
    write(as_spdlog(level), logger, message, {}, fmt::format(",\"{}\":{}", key, object));
}

}  // namespace joiner::observe
