// What providers say of themselves, passed on. While the controller is being made there is nobody to tell,
// and all is asked for anew once it acts. Owned by control; loop thread.
#pragma once

#include <functional>

#include "cloud/reports.h"

namespace joiner::control {

struct ReportsTo final : cloud::Reports {
    std::function<void()> on_offers;
    std::function<void(const api::NodeClassReference&)> on_class;
    std::function<void(const cloud::InstanceEvent&)> on_event;
    std::function<void(const std::string& sentence)> on_remark;
    std::function<void(std::string_view metric, const api::StringMap& labels, double by)> on_count;
    std::function<void(std::string_view metric, const api::StringMap& labels, double value)> on_value;

    void offers_changed() override {
        if (on_offers) on_offers();
    }
    void class_changed(const api::NodeClassReference& reference) override {
        if (on_class) on_class(reference);
    }
    void happened(const cloud::InstanceEvent& event) override {
        if (on_event) on_event(event);
    }
    void remarked(const std::string& sentence) override {
        if (on_remark) on_remark(sentence);
    }
    void counted(std::string_view metric, const api::StringMap& labels, double by) override {
        if (on_count) on_count(metric, labels, by);
    }
    void observed(std::string_view metric, const api::StringMap& labels, double value) override {
        if (on_value) on_value(metric, labels, value);
    }
};

}  // namespace joiner::control
