// What an API server that serves Joiner's own kinds would refuse in an object that is created, all of it and
// not the first thing only. Looks at the object alone: not at classes or namespaces it names. Any thread;
// this header is for other layers, too.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace joiner::sim {

struct Mistake {
    std::string field;  // "spec.template.spec.containers[0].image"; empty: the object as a whole.
    std::string what;
};

struct Judgement {
    bool is_known_kind = false;  // Else nothing was looked at.
    std::vector<Mistake> mistakes;
};

class ManifestJudge {
  public:
    ManifestJudge();
    ~ManifestJudge();
    ManifestJudge(const ManifestJudge&) = delete;
    ManifestJudge& operator=(const ManifestJudge&) = delete;

    // `object`: its JSON.
    Judgement judge(std::string_view api_version, std::string_view kind, std::string_view object) const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::sim
