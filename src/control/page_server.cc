#include "control/page_server.h"

#include <fmt/format.h>

#include <string_view>

#include "api/codec.h"
#include "cloud/ec2/aws/encoding.h"
#include "embedded_page.h"

namespace joiner::control {
namespace {

// Of the loop; a plan of many thousand pods may hold it for a second.
constexpr Duration kLoopPatience = std::chrono::seconds{5};
// Two reviews by the API server.
constexpr Duration kReviewPatience = std::chrono::seconds{15};
constexpr int kPageThreads = 8;
constexpr std::size_t kWorthCompressing = 1024;
constexpr std::string_view kBearer = "Bearer ";
constexpr const char* kJsonType = "application/json";

observe::Page sentence_page(int code, std::string_view sentence) {
    observe::Page out{code, kJsonType, fmt::format("{{\"error\":{}}}", api::encode_string(sentence))};
    out.headers = {{"Cache-Control", "no-store"}};
    if (code == 401) out.headers.emplace_back("WWW-Authenticate", "Bearer");
    return out;
}

// What stands between the two, once.
std::string_view between(std::string_view text, std::string_view open, std::string_view close) {
    const std::size_t begin = text.find(open);
    if (begin == std::string_view::npos) return {};
    text.remove_prefix(begin + open.size());
    return text.substr(0, text.find(close));
}

std::string hash_source(std::string_view inline_text) {
    const auto digest = cloud::ec2::aws::sha256(inline_text);
    const std::string_view bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
    return fmt::format("'sha256-{}'", cloud::ec2::aws::encode_base64(bytes));
}

// Nothing comes from outside, and nothing runs but the page's own script.
std::string content_policy(std::string_view html) {
    return fmt::format(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri "
        "'none'; "
        "form-action 'none'; frame-ancestors 'none'",
        hash_source(between(html, "<script>", "</script>")),
        hash_source(between(html, "<style>", "</style>")));
}

observe::Page html_page() {
    const std::string_view html = embedded::page().front().text;
    observe::Page out{200, "text/html; charset=utf-8", ""};
    out.shared_body = std::make_shared<const std::string>(html);
    out.headers = {{"Content-Security-Policy", content_policy(html)},
                   {"X-Content-Type-Options", "nosniff"},
                   {"Referrer-Policy", "no-referrer"},
                   {"Cache-Control", "no-cache"}};
    return out;
}

// A name of this machine: a page of another origin that has its own name lead here gets nothing.
bool is_this_machine(std::string_view host) {
    if (const std::size_t colon = host.rfind(':'); colon != std::string_view::npos && !host.ends_with(']'))
        host = host.substr(0, colon);
    return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

observe::Page text_page(const PageText& text, const observe::Question& question) {
    observe::Page out{200, kJsonType, ""};
    out.headers = {{"ETag", text.tag()},
                   {"Cache-Control", "private, no-cache"},
                   {"Vary", "Accept-Encoding, Authorization"},
                   {"X-Content-Type-Options", "nosniff"}};
    if (question.if_none_match == text.tag()) {
        out.code = 304;
    } else if (question.accepts_gzip && text.json()->size() >= kWorthCompressing) {
        out.shared_body = text.gzipped();
        out.headers.emplace_back("Content-Encoding", "gzip");
    } else {
        out.shared_body = text.json();
    }
    return out;
}

}  // namespace

Result<std::unique_ptr<PageServer>> PageServer::start(const PageOptions& options, io::Loop& loop,
                                                      PageKeeper& keeper, PageGuard& guard) {
    auto out = std::unique_ptr<PageServer>(new PageServer(loop, keeper, guard, !options.without_token));
    PageServer& page = *out;
    const auto always = [html = html_page()](const observe::Question&) { return html; };
    std::map<std::string, observe::Answer> answers = {{"/", always}, {"/page", always}};
    answers["/page/state.json"] = [&page](const observe::Question& question) {
        return page.answer(question, [&page] { return page.keeper_.state(); });
    };
    answers["/page/history.json"] = [&page](const observe::Question& question) {
        return page.answer(question, [&page] { return page.keeper_.history(); });
    };
    answers["/page/money.json"] = [&page](const observe::Question& question) {
        return page.answer(question, [&page] { return page.keeper_.money(); });
    };
    answers["/page/node.json"] = [&page](const observe::Question& question) {
        const auto name = question.parameters.find("name");
        if (name == question.parameters.end())
            return sentence_page(400, "which node? Say /page/node.json?name=NODE");
        return page.answer(question, [&page, node = name->second] { return page.keeper_.node(node); });
    };
    TRY(out->server_, observe::HttpServer::start({.port = options.port,
                                                  .is_local = options.without_token,
                                                  .threads = kPageThreads,
                                                  .keeps_connections = false},
                                                 std::move(answers)));
    return out;
}

PageServer::~PageServer() {
    line_.close();
}

observe::Page PageServer::answer(const observe::Question& question, Make make) {
    const PageGuard::Access may = access(question);
    if (may.code != 200) return sentence_page(may.code, may.sentence);
    const auto text = line_.ask<PageKeeper::Text>(
        [make = std::move(make)](const LoopLine::Reply<PageKeeper::Text>& reply) { reply(make()); },
        kLoopPatience);
    if (!text) return sentence_page(503, "the controller is busy planning; ask again in a second");
    if (*text == nullptr) return sentence_page(404, "there is no node of this name any more");
    return text_page(**text, question);
}

PageGuard::Access PageServer::access(const observe::Question& question) {
    if (!asks_for_token_) {
        if (is_this_machine(question.host)) return {};
        return {403, "without a token the page answers to localhost only: open it by that name"};
    }
    std::string token;
    if (question.authorization.starts_with(kBearer)) token = question.authorization.substr(kBearer.size());
    const auto access = line_.ask<PageGuard::Access>(
        [this, token = std::move(token)](const LoopLine::Reply<PageGuard::Access>& reply) {
            guard_.ask(token, reply);
        },
        kReviewPatience);
    return access.value_or(PageGuard::Access{503, "the API server does not answer; ask again in a second"});
}

}  // namespace joiner::control
