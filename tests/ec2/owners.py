"""Whose an instance is, also once the claim is gone: what all NodeClaims have said of their instances."""

import cluster_state
from background import Background
from cloud import tags_of


class Owners(Background):
    """Reads the claims all the time. An instance that was bought with others is tagged with its claim's name only once
    it is a node, and it may go before that."""

    def __init__(self, api, seconds=0.5):
        super().__init__(seconds)
        self._api = api
        self._claims = {}  # By the id of the instance.

    def of(self, instance):
        """The name of a claim, by the instance's tags or else by what a claim has said; "" where there is none."""
        return tags_of(instance).get("karpenter.sh/nodeclaim") or self._claims.get(instance["InstanceId"], "")

    def turn(self):
        for claim in cluster_state.node_claims(self._api):
            provider_id = claim.get("status", {}).get("providerID", "")
            if provider_id:
                self._claims[provider_id.rpartition("/")[2]] = claim["metadata"]["name"]
