#include "cloud/ec2/calls/sts.h"

#include <utility>

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/aws/form.h"
#include "cloud/ec2/calls/paged.h"

namespace joiner::cloud::ec2 {

void Sts::get_caller_identity(aws::Done<std::string> done) {
    aws::Call call;
    call.service = aws::Service::kSts;
    call.protocol = aws::Protocol::kQueryXml;
    call.name = "GetCallerIdentity";
    call.headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}};
    const aws::Call named = call;
    call.body = aws::Form("GetCallerIdentity", "2011-06-15").text();
    client_.send(std::move(call), [named, done = std::move(done)](const aws::Answer<std::string>& answer) {
        if (!answer) return done(tl::unexpected<aws::CallError>(answer.error()));
        const auto document = aws::parse_xml(*answer, "GetCallerIdentityResponse");
        if (!document) return done(no_answer(named, document.error()));
        done(text_of(document->document_element().child("GetCallerIdentityResult"), "Arn"));
    });
}

}  // namespace joiner::cloud::ec2
