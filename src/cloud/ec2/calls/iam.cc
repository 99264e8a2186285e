#include "cloud/ec2/calls/iam.h"

#include <memory>
#include <utility>

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/aws/form.h"
#include "cloud/ec2/calls/paged.h"

namespace joiner::cloud::ec2 {
namespace {

using aws::Answer;
using aws::CallError;
using aws::Done;
using aws::Form;

constexpr std::string_view kVersion = "2010-05-08";

aws::Call call_of(const char* name, const Form& form) {
    aws::Call out;
    out.service = aws::Service::kIam;
    out.protocol = aws::Protocol::kQueryXml;
    out.name = name;
    out.headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}};
    out.body = form.text();
    return out;
}

InstanceProfile read_profile(const pugi::xml_node& node) {
    InstanceProfile out = {
        text_of(node, "InstanceProfileName"), text_of(node, "Path"), text_of(node, "Arn"), {}, {}};
    for (const pugi::xml_node& role : node.child("Roles").children("member"))
        out.roles.push_back(text_of(role, "RoleName"));
    for (const pugi::xml_node& tag : node.child("Tags").children("member"))
        out.tags[text_of(tag, "Key")] = text_of(tag, "Value");
    return out;
}

void change(aws::Client& client, const char* name, const Form& form, ErrorKind no_error, Done<void> done) {
    client.send(call_of(name, form), [no_error, done = std::move(done)](const Answer<std::string>& answer) {
        if (!answer && answer.error().kind != no_error)
            return done(tl::unexpected<CallError>(answer.error()));
        done({});
    });
}

// IAM's pages have names of their own.
struct ProfileList {
    aws::Client& client;
    std::string path;
    Done<std::vector<InstanceProfile>> done;
    std::vector<InstanceProfile> profiles = {};
    int pages = 0;

    static void ask_page(const std::shared_ptr<ProfileList>& list, const std::string& marker) {
        Form form("ListInstanceProfiles", kVersion);
        form.add("PathPrefix", list->path).add("MaxItems", 100).add_if("Marker", marker);
        const aws::Call call = call_of("ListInstanceProfiles", form);
        list->client.send(call, [list, call](const Answer<std::string>& answer) {
            if (!answer) return list->done(tl::unexpected<CallError>(answer.error()));
            const auto document = aws::parse_xml(*answer, "ListInstanceProfilesResponse");
            if (!document) return list->done(no_answer(call, document.error()));
            const pugi::xml_node result = document->document_element().child("ListInstanceProfilesResult");
            for (const pugi::xml_node& member : result.child("InstanceProfiles").children("member")) {
                InstanceProfile profile = read_profile(member);
                if (profile.path.starts_with(list->path)) list->profiles.push_back(std::move(profile));
            }
            const std::string next = text_of(result, "Marker");
            if (!flag_of(result, "IsTruncated") || next.empty()) return list->done(std::move(list->profiles));
            if (++list->pages >= kMostPages)
                return list->done(no_answer(call, {ErrorKind::kUnavailable, "its pages have no end", 0}));
            ask_page(list, next);
        });
    }
};

}  // namespace

void Iam::get_instance_profile(const std::string& name, Done<InstanceProfile> done) {
    Form form("GetInstanceProfile", kVersion);
    form.add("InstanceProfileName", name);
    const aws::Call call = call_of("GetInstanceProfile", form);
    client_.send(call, [call, done = std::move(done)](const Answer<std::string>& answer) {
        if (!answer) return done(tl::unexpected<CallError>(answer.error()));
        const auto document = aws::parse_xml(*answer, "GetInstanceProfileResponse");
        if (!document) return done(no_answer(call, document.error()));
        done(read_profile(
            document->document_element().child("GetInstanceProfileResult").child("InstanceProfile")));
    });
}

void Iam::list_instance_profiles(const std::string& path, Done<std::vector<InstanceProfile>> done) {
    ProfileList::ask_page(std::make_shared<ProfileList>(ProfileList{client_, path, std::move(done)}), "");
}

void Iam::create_instance_profile(const InstanceProfile& profile, Done<void> done) {
    Form form("CreateInstanceProfile", kVersion);
    form.add("InstanceProfileName", profile.name).add_if("Path", profile.path);
    form.add_tags("Tags.member", profile.tags);
    client_.send(call_of("CreateInstanceProfile", form),
                 [done = std::move(done)](const Answer<std::string>& answer) {
                     if (!answer) return done(tl::unexpected<CallError>(answer.error()));
                     done({});
                 });
}

void Iam::add_role(const std::string& profile, const std::string& role, Done<void> done) {
    Form form("AddRoleToInstanceProfile", kVersion);
    form.add("InstanceProfileName", profile).add("RoleName", role);
    change(client_, "AddRoleToInstanceProfile", form, ErrorKind::kConflict, std::move(done));
}

void Iam::remove_role(const std::string& profile, const std::string& role, Done<void> done) {
    Form form("RemoveRoleFromInstanceProfile", kVersion);
    form.add("InstanceProfileName", profile).add("RoleName", role);
    change(client_, "RemoveRoleFromInstanceProfile", form, ErrorKind::kNotFound, std::move(done));
}

void Iam::delete_instance_profile(const std::string& profile, Done<void> done) {
    Form form("DeleteInstanceProfile", kVersion);
    form.add("InstanceProfileName", profile);
    change(client_, "DeleteInstanceProfile", form, ErrorKind::kNotFound, std::move(done));
}

}  // namespace joiner::cloud::ec2
