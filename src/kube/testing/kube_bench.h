// A Client on virtual time whose every answer a test writes, and a handler that keeps what it was told.
#pragma once

#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/testing/manual_loop.h"
#include "io/testing/scripted_http.h"
#include "kube/client.h"
#include "kube/reflector.h"

namespace joiner::kube::testing {

inline Config plain_config() {
    Config config;
    auto endpoint = std::make_shared<io::Endpoint>();
    endpoint->base_url = "https://cluster.example";
    config.endpoint = std::move(endpoint);
    return config;
}

// "{"metadata":{"name":"a","resourceVersion":"5"}}"
inline std::string object_text(std::string_view name, std::uint64_t version) {
    return fmt::format(R"({{"kind":"Pod","metadata":{{"name":"{}","resourceVersion":"{}"}}}})", name,
                       version);
}
inline std::string event_line(std::string_view type, std::string_view name, std::uint64_t version) {
    return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, object_text(name, version));
}
inline std::string bookmark_line(std::uint64_t version, bool ends_initial_events = false) {
    return fmt::format(
               R"({{"type":"BOOKMARK","object":{{"kind":"Pod","metadata":{{"resourceVersion":"{}"{}}}}}}})",
               version, ends_initial_events ? R"(,"annotations":{"k8s.io/initial-events-end":"true"})" : "") +
           "\n";
}
inline std::string error_line(int code, std::string_view message) {
    return fmt::format(
               R"({{"type":"ERROR","object":{{"kind":"Status","metadata":{{}},"code":{},"message":"{}"}}}})",
               code, message) +
           "\n";
}

// Keeps the set of names as a user of a Reflector would, and a log: "begin", "+a", "-a", "end", "missing".
class RecordingHandler final : public ObjectHandler {
  public:
    void begin_replace() override {
        log.push_back("begin");
        is_replacing = true;
        fresh.clear();
    }
    void upsert(std::string_view json) override {
        log.push_back("+" + name_of(json));
        objects[name_of(json)] = std::string(json);
        fresh[name_of(json)] = true;
    }
    void remove(std::string_view json) override {
        log.push_back("-" + name_of(json));
        objects.erase(name_of(json));
    }
    void end_replace() override {
        log.push_back("end");
        is_replacing = false;
        std::erase_if(objects, [this](const auto& entry) { return !fresh.contains(entry.first); });
    }

    void missing() override { log.push_back("missing"); }

    std::string names() const {
        std::string joined;
        for (const auto& [name, text] : objects) joined += (joined.empty() ? "" : " ") + name;
        return joined;
    }

    std::vector<std::string> log;
    std::map<std::string, std::string> objects;
    bool is_replacing = false;

  private:
    static std::string name_of(std::string_view json) {
        const std::size_t at = json.find(R"("name":")");
        if (at == std::string_view::npos) return "?";
        const std::size_t begin = at + 8;
        return std::string(json.substr(begin, json.find('"', begin) - begin));
    }
    std::map<std::string, bool> fresh;
};

struct KubeBench {
    explicit KubeBench(ClientOptions options = {}, Config config = plain_config())
        : client(loop, http, std::move(config), std::move(options)) {}

    io::testing::ManualLoop loop;
    io::testing::ScriptedHttp http{loop};
    Client client;
};

}  // namespace joiner::kube::testing
