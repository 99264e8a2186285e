// A whole plan by price, in milliseconds: machine after machine, each the one that gives the most worth for
// its money, filled with no more than its share of every lot so that no odd rest is left. Pure.
#pragma once

#include <memory>
#include <vector>

#include "plan/provision/draft.h"
#include "plan/provision/limits.h"
#include "plan/provision/packer.h"
#include "plan/provision/resource_bound.h"
#include "plan/provision/slots.h"

namespace joiner::plan {

class ShareGreedy {
  public:
    explicit ShareGreedy(const Market& market);

    // A machine may take `share` times the part of a lot that its own worth is of all that is left; infinity
    // for no such limit. Incomplete where limits end the buying.
    // `begun`: what stands in bins and on machines by now; part of the draft.
    Draft run(double share, const Draft& begun);
    std::uint64_t looks() const { return packer_.looks(); }

  private:
    struct Candidate {
        OfferIndex offer = 0;
        double promise = 0;  // The least money for a unit of worth it could reach.
    };
    struct Choice {
        OfferIndex offer = 0;
        double ratio = 0;
        std::vector<Take> take;
    };

    void start(const Draft& begun);
    void value_what_is_left();
    void value_kinds();
    double value_of(LotIndex lot) const;
    double value_admitted(OfferIndex offer) const;
    bool find_best(KindIndex seed, double share, Choice& best);
    void list_candidates(KindIndex seed);
    OfferIndex next_candidate();
    static bool comes_later(const Candidate& a, const Candidate& b);
    void sample_lots(KindIndex seed);
    bool fill(KindIndex seed, OfferIndex offer, double share);
    void consider_closing(Draft& closing, const Draft& so_far) const;
    void open(const Choice& choice, Draft& draft);
    bool has_left(KindIndex kind) const { return left_of_kind_[kind] > 0; }
    OfferIndex cheapest_that_holds(const std::vector<double>& used, const std::vector<KindWord>& kinds,
                                   const Offer* of) const;

    const Market& market_;
    std::size_t n_;
    bool with_slot_;
    ResourceProgram program_;
    Packer packer_;
    Slots slots_;
    std::vector<LotIndex> strata_;  // Lots alike stand together; a sample is every so manieth.
    std::vector<std::uint32_t> left_;
    std::vector<std::uint64_t> left_of_kind_;
    std::uint64_t pods_left_ = 0;
    std::vector<double> demand_;  // With the slots last.
    std::vector<double> worth_;
    double cost_ = 0;
    double slots_needed_ = 0;
    Limits limits_;
    std::vector<Candidate> candidates_;  // A heap, the best promise first.
    std::vector<KindWord> beside_;       // By kind: those that some machine admits beside it.
    std::vector<double> value_of_kind_;
    std::vector<LotIndex> sample_;
    double sampled_ = 1;  // So many lots each one in the sample stands for.
    std::vector<Ware> wares_;
    std::uint32_t round_ = 0;
};

}  // namespace joiner::plan
