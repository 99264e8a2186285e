// What every method of voluntary disruption is handed: what there is to choose from, what is remembered, a
// place to say why, and who carries it out. Owned by control; loop thread.
#pragma once

#include "control/disruption_ground.h"
#include "control/disruption_ledger.h"
#include "control/disruption_notes.h"
#include "control/disruptor.h"
#include "control/kept_places.h"

namespace joiner::control {

struct Disruption {
    const DisruptionGround& ground;
    DisruptionLedger& ledger;
    DisruptionNotes& notes;
    const KeptPlaces& places;
    Disruptor& disruptor;
    Savings& savings;
};

}  // namespace joiner::control
