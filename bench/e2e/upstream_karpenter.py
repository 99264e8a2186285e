"""Karpenter's own KWOK controller, as build_upstream.sh makes it, in the place of Joiner."""

import os
import pathlib

from joiner import Controller


class UpstreamKarpenter(Controller):
    def command(self):
        return [pathlib.Path(self.binary) / "karpenter"]

    def environment(self):
        return {"PATH": os.environ["PATH"], "KUBECONFIG": str(self.kubeconfig)}
