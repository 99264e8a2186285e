"""The role of deploy/rbac.yaml: enough for all that the other tests do, and nothing in it that none of them needs."""

from cluster import Use
from suite import NO_CLUSTER, Skipped, expect, expect_none, test

# Rules that only a cluster on EC2 uses; the stories of tests/ec2 do.
_OF_EC2 = "karpenter.k8s.aws"
# What these tests bring about too seldom; others hold it.
_ELSEWHERE = {
    Use("", "nodes/status", "patch"): "a pretend reboot: tests/upstream_suite, Reboot",
    Use("", "pods", "delete"): "a pod past its node's termination grace period: tests/upstream_suite, Termination",
}
# Read only with a scheduler configuration that spreads by default.
_WITH_DEFAULT_SPREAD = "replicationcontrollers"
# Every watch begins with a list, and goes on with a get of nothing: a role for one of them is one for all three.
_READS = {"get", "list", "watch"}
# Sent in place of one another, by what is known of the object at that moment.
_WRITES_ALIKE = {"patch", "update"}


def _granted(rules):
    return {Use(group, resource, verb) for rule in rules for group in rule["apiGroups"]
            for resource in rule["resources"] for verb in rule["verbs"]}


def _is_used(granted, uses):
    alike = next((verbs for verbs in (_READS, _WRITES_ALIKE) if granted.verb in verbs), {granted.verb})
    return any(use._replace(verb=verb) in uses for verb in alike for use in [granted])


@test(cluster=NO_CLUSTER, runs_last=True)
def the_role_is_enough_and_every_rule_of_it_is_needed(world):
    if not world.is_whole_run:
        raise Skipped("needs all the other tests before it")
    world.leave()
    expect(world.uses, "the audit log has what the service account did")
    # An API server that has just started refuses all, until it has read its roles.
    expect_none(sorted(world.refusals - world.uses), "refused and never allowed")
    unused = [granted for granted in _granted(world.role_rules)
              if granted.group != _OF_EC2 and granted not in _ELSEWHERE and granted.resource != _WITH_DEFAULT_SPREAD
              and not _is_used(granted, world.uses)]
    expect_none(sorted(unused), "granted and needed by no test")
