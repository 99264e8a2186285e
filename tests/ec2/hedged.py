"""A launch whose answer does not come: it is asked for again elsewhere, and what comes second is removed."""

from processes import wait_until
from story import Story

SETTINGS = {"HEDGE_PRIORITY": "0", "HEDGE_AFTER": "3s"}
# What the slower launch brought is found by the list of instances, which is asked for every two minutes.
_SECONDS_TO_REMOVE = 300


class HedgeStory(Story):
    def steps(self):
        return self.class_turns_ready, self.pods_run, self.slow_launch_is_hedged, self.nothing_is_left

    def hedges(self, result):
        return self.joiner.metric("joiner_hedged_launches_total", result=result) or 0

    def slow_launch_is_hedged(self):
        self.purchases.hold(most=1)
        self.deploy("urgent", self.pods // 4)
        assert self.purchases.wait_held(60), "nothing more is bought"
        self.all_run()
        assert self.hedges("asked") >= 1 and self.hedges("won") >= 1, "no hedge has won"
        doubled = len(self.cloud.instances()) - len(self.claims())
        assert doubled > 0, "the slower launch has brought something, too"
        self.purchases.release()
        wait_until(lambda: self.provider_ids() == self.ids_of_instances(), _SECONDS_TO_REMOVE,
                   "what the slower launch brought is removed", interval=1)
        self.all_run()
        self.say(f"a launch without an answer was hedged: {self.hedges('asked'):.0f} asked for, {self.hedges('won'):.0f} "
                 f"won; {doubled} instances of the slower one were removed")
