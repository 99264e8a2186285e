// Reads a list of EC2's to its last page. Loop thread.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/aws/form.h"
#include "cloud/ec2/calls/xml_reader.h"

namespace joiner::cloud::ec2 {

// More pages than any list of ours has: what turns in a circle ends.
inline constexpr int kMostPages = 2000;

inline tl::unexpected<aws::CallError> no_answer(const aws::Call& call, const Error& error) {
    aws::CallError out;
    out.kind = error.kind;
    out.message = fmt::format("{} {}: {}", aws::name_of(call.service), call.name, error.message);
    out.may_be_done = true;
    return tl::unexpected<aws::CallError>(std::move(out));
}

template <typename T>
class PagedList {
  public:
    struct Plan {
        aws::Call call;        // Without a body.
        aws::Form form;        // Of the first page.
        int page_size = 0;     // 0: not sent, and EC2 answers in one page.
        const char* set = "";  // The element that holds the items.
        // Adds what an item holds.
        void (*read)(const pugi::xml_node& item, std::vector<T>& out) = nullptr;
    };

    static void ask(aws::Client& client, Plan plan, aws::Done<std::vector<T>> done) {
        auto list = std::make_shared<PagedList>(client, std::move(plan), std::move(done));
        list->ask_page(list, "");
    }
    PagedList(aws::Client& client, Plan plan, aws::Done<std::vector<T>> done)
        : client_(client), plan_(std::move(plan)), done_(std::move(done)) {}

  private:
    void ask_page(const std::shared_ptr<PagedList>& self, const std::string& token) {
        aws::Form form = plan_.form;
        if (plan_.page_size > 0) form.add("MaxResults", plan_.page_size);
        form.add_if("NextToken", token);
        aws::Call call = plan_.call;
        call.body = form.text();
        client_.send(std::move(call),
                     [self](const aws::Answer<std::string>& answer) { self->on_page(self, answer); });
    }
    void on_page(const std::shared_ptr<PagedList>& self, const aws::Answer<std::string>& answer) {
        if (!answer) return done_(tl::unexpected<aws::CallError>(answer.error()));
        const auto document = aws::parse_xml(*answer, plan_.call.name + "Response");
        if (!document) return done_(no_answer(plan_.call, document.error()));
        const pugi::xml_node root = document->document_element();
        for (const pugi::xml_node& item : root.child(plan_.set).children("item")) plan_.read(item, items_);
        const std::string next = root.child_value("nextToken");
        if (next.empty()) return done_(std::move(items_));
        if (++pages_ >= kMostPages)
            return done_(no_answer(plan_.call, {ErrorKind::kUnavailable, "its pages have no end", 0}));
        ask_page(self, next);
    }

    aws::Client& client_;
    Plan plan_;
    aws::Done<std::vector<T>> done_;
    std::vector<T> items_;
    int pages_ = 0;
};

}  // namespace joiner::cloud::ec2
