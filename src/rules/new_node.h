// What is known of a node before it is bought, beyond what its pool and its type say. Pure; any thread.
#pragma once

#include "rules/requirement.h"

namespace joiner::rules {

// Nodes of a pool say so once they are registered and initialised.
void add_labels_once_up(Requirements& labels);

// The labels of a node still to be made by a pool of these requirements: it will say that it is up, and its
// name is no name that anybody can know.
Requirements labels_of_new_node(const Requirements& pool);

// Every node has it and no claim can ask for it: its name, and whether it is up.
bool is_of_every_node(std::string_view key);

// Whether a claim must ask for what a pod wants. Not where every node of the pool meets it as it is: it has
// the label by itself, or nobody can ever give it the label that must be absent.
bool is_for_the_claim(const Requirement& wanted, const Requirements& pool, const WellKnownLabels& well_known);

}  // namespace joiner::rules
