"""The page of a controller in a cluster: who may see it, as the API server says, and what it shows."""

import json
import urllib.error
import urllib.request

import manifests
from processes import free_port, wait_until
from suite import expect, test

_RBAC = "rbac.authorization.k8s.io"
_ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"


def _get(port, path, token=None):
    """(code, JSON)"""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers),
                                    timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def _new_token(world, account):
    world.api.post(_ACCOUNTS, {"metadata": {"name": account}})
    return world.api.post(f"{_ACCOUNTS}/{account}/token",
                          {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})["status"]["token"]


@test()
def the_page_is_shown_to_whom_the_api_server_lets_see_it(world):
    port = free_port()
    world.start_joiner(f"--page-port={port}", leader_election=True)
    viewer, stranger = (_new_token(world, name) for name in ("page-viewer", "page-stranger"))
    rules = [{"nonResourceURLs": ["/page"], "verbs": ["get"]}]
    world.api.post(f"/apis/{_RBAC}/v1/clusterroles", {"metadata": {"name": "page-viewer"}, "rules": rules})
    world.api.post(f"/apis/{_RBAC}/v1/clusterrolebindings", {
        "metadata": {"name": "page-viewer"}, "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "page-viewer"},
        "subjects": [{"kind": "ServiceAccount", "name": "page-viewer", "namespace": "default"}]})
    wait_until(lambda: _get(port, "/page/state.json", viewer)[0] == 200, 60, "the viewer is let in")
    code, refused = _get(port, "/page/state.json")
    expect(code == 401 and "kubectl create token" in refused["error"], f"without a token: {code} {refused}")
    code, refused = _get(port, "/page/state.json", "nonsense")
    expect(code == 401 and "does not know this token" in refused["error"], f"a token of nobody: {code} {refused}")
    code, refused = _get(port, "/page/state.json", stranger)
    expect(code == 403 and "page-stranger" in refused["error"], f"a stranger: {code} {refused}")

    world.open_pools(manifests.node_pool())
    world.deploy("load", 10)
    world.run_all("load", 10)

    def state():
        return _get(port, "/page/state.json", viewer)[1]

    wait_until(lambda: any(node["pods"] and node["state"] == "ready" for node in state()["nodes"]), 30,
               "the page shows a node that is ready and has pods")
    shown = state()
    expect(shown["now"]["pricePerHour"] > 0 and shown["now"]["boundPerHour"] <= shown["now"]["pricePerHour"], shown["now"])
    expect(any(entry["verdict"] == "bought" for entry in shown["history"]), shown["history"])
    name = next(node["name"] for node in shown["nodes"] if node["pods"])
    code, node = _get(port, f"/page/node.json?name={name}", viewer)
    expect(code == 200 and node["pods"], f"its pods: {code} {node}")
    for path in ("clusterroles/page-viewer", "clusterrolebindings/page-viewer"):
        world.api.delete(f"/apis/{_RBAC}/v1/{path}")
    for account in ("page-viewer", "page-stranger"):
        world.api.delete(f"{_ACCOUNTS}/{account}")
