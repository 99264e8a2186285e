"""Nine offerings in ten are sold out, and the controller is killed: what it had found out it asks for no more."""

import time

from mended_moto import SPOT_SHARE, made_up_price
from prices import price_of
from processes import wait_until
from story import Story

_MEMORY = "joiner-shortages"
# A sold-out offering is left alone for so long, at least; the rest is for answers on their way.
_LEFT_ALONE = 180 - 5


class StockOutStory(Story):
    """`stock`: the link that sells out, and sees who asks for it in vain."""

    def __init__(self, stock, *arguments):
        super().__init__(*arguments)
        self.stock = stock
        self._allowed = {}  # By claim: its instance types, zones and capacity types.

    def steps(self):
        return self.class_turns_ready, self.pods_run, self.is_killed_and_remembers, self.price_is_near_the_best, \
            self.nothing_is_left

    def pods_run(self):
        self.make_pool()
        self.deploy("web", self.pods)
        self.all_run()
        self.agrees()
        self._note_claims()
        self.say(f"{self.pods} pods run on {len(self.cloud.instances())} instances; {len(self.stock.asked)} offerings "
                 "were asked for in vain")

    def is_killed_and_remembers(self):
        """Killed in the middle of a launch. What it knew before that one it still knows."""
        known = {offering: max(times) for offering, times in self.stock.asked.items()}
        assert known, "nothing was found sold out"
        wait_until(lambda: self._remembers(known), 30, "what was found out is written down", interval=0.2)
        self.purchases.hold()
        self.deploy("more", self.pods // 2)
        assert self.purchases.wait_held(60), "nothing more is bought"
        killed_at = time.monotonic()
        self.restart()
        self.all_run()
        self.deploy("yet-more", self.pods // 2)
        self.all_run()
        self.agrees()
        self._note_claims()
        again = {offering: at - known[offering] for offering in known for at in self.stock.asked[offering]
                 if at > killed_at and at - known[offering] < _LEFT_ALONE}
        assert not again, f"asked for again after a restart, so many seconds after they were found out: {again}"
        new = [offering for offering, times in self.stock.asked.items() if min(times) > killed_at]
        self.say(f"killed in the middle of a launch: of {len(known)} offerings known to be out none was asked for again, "
                 f"{len(new)} others were found out; {self.none_bought_twice()}")

    def price_is_near_the_best(self):
        """Beside the cheapest of what each claim may be and that is to be had."""
        instances, best = self.cloud.instances(), 0
        for instance in instances:
            types, zones, lifecycles = self._allowed[self.owners.of(instance)]
            best += min(_price(lifecycle, kind, zone) for lifecycle in lifecycles for kind in types for zone in zones
                        if not self.stock.is_sold_out(lifecycle, kind, zone))
        paid = price_of(instances)
        assert paid <= 1.05 * best, f"paid {paid:.4f} $ an hour, and {best:.4f} would have done"
        self.say(f"{len(instances)} instances cost {paid:.4f} $ an hour, {paid / best:.4f} times the best to be had")

    def _remembers(self, known):
        texts = [one.get("data", {}).get("shortages", "") for one in self.api.items("/api/v1/configmaps")
                 if one["metadata"]["name"] == _MEMORY]
        return bool(texts) and all(f"{kind} {zone} {lifecycle} " in texts[0] for lifecycle, kind, zone in known)

    def _note_claims(self):
        zones = sorted(set(self.cloud.zones_of_subnets().values()))
        for claim in self.claims():
            wanted = {one["key"]: one.get("values", []) for one in claim["spec"]["requirements"]
                      if one["operator"] == "In"}
            self._allowed[claim["metadata"]["name"]] = (
                wanted["node.kubernetes.io/instance-type"],
                [zone for zone in zones if zone in wanted.get("topology.kubernetes.io/zone", zones)],
                wanted["karpenter.sh/capacity-type"])


def _price(lifecycle, kind, zone):
    return SPOT_SHARE * made_up_price(kind, zone) if lifecycle == "spot" else made_up_price(kind)
