"""Stands between a controller and a double of AWS on loopback: it writes down each call, and links of a chain may
answer in AWS's place. Connections are kept alive, as AWS keeps them and moto does not.
"""

import collections
import http.client
import http.server
import re
import socket
import struct
import threading
import time
import typing
import urllib.parse

_NOT_FORWARDED = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class Call:
    """One request, as it came."""

    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.service = _service_of(headers, self)
        self.name = _name_of(self)
        self.key = f"{self.service}:{self.name}"  # "ec2:CreateFleet"
        self.number = 0                           # Of the calls of this key, from 1.
        self.met = ""                             # What came in the way of the answer, in a word.

    def form(self):
        return dict(urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True))

    def with_form(self, form):
        """The same call with other parameters."""
        other = Call(self.method, self.target, self.headers, urllib.parse.urlencode(form).encode())
        other.number = self.number
        return other

    def named_instances(self):
        return sum(key.startswith("InstanceId.") for key in self.form()) if self.service == "ec2" else 0


class Answer(typing.NamedTuple):
    status: int
    content_type: str
    body: bytes
    headers: dict = {}
    sent: float = 1.0  # The share of the body that goes out before the connection is closed.


class Reset(Exception):
    """A link raises it: the caller's connection is reset."""


class Seen(typing.NamedTuple):
    began: float  # time.monotonic()
    key: str
    met: str
    status: int  # 0: reset
    instances: int  # That it names.


class Proxy:
    """`links`: callables (call, ask) -> Answer, outermost first; `ask(call)` is what lies behind."""

    def __init__(self, target_url, links=()):
        self._target = urllib.parse.urlsplit(target_url).netloc
        self._links = links
        self._lock = threading.Lock()
        self._numbers = collections.Counter()
        self.seen = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def counts(self):
        return collections.Counter(each.key for each in self.seen)

    def peaks(self):
        """By kind of call: how many began within one second at most."""
        found = {}
        for key in self.counts():
            times = sorted(each.began for each in self.seen if each.key == key)
            found[key] = max(sum(begin <= other < begin + 1 for other in times[at:at + 1000])
                             for at, begin in enumerate(times))
        return found

    def handle(self, call):
        began = time.monotonic()
        with self._lock:
            self._numbers[call.key] += 1
            call.number = self._numbers[call.key]
        status = 0
        try:
            answer = self._ask(call, self._links)
            status = answer.status
            return answer
        finally:
            with self._lock:
                self.seen.append(Seen(began, call.key, call.met, status, call.named_instances()))

    def _ask(self, call, links):
        if not links:
            return self._forward(call)
        return links[0](call, lambda other: self._ask(other, links[1:]))

    def _forward(self, call):
        connection = http.client.HTTPConnection(self._target, timeout=120)
        try:
            headers = {key: value for key, value in call.headers.items() if key.lower() not in _NOT_FORWARDED}
            connection.request(call.method, call.target, body=call.body, headers=headers)
            answer = connection.getresponse()
            kept = {key: value for key, value in answer.getheaders()
                    if key.lower() not in _NOT_FORWARDED and key.lower() != "content-type"}
            return Answer(answer.status, answer.getheader("Content-Type", ""), answer.read(), kept)
        except OSError as trouble:
            raise Reset from trouble
        finally:
            connection.close()


class KeptAnswers:
    """A link: what never changes is asked for once, for moto takes seconds over it."""

    _UNCHANGING = ("ec2:DescribeInstanceTypes", "ec2:DescribeInstanceTypeOfferings", "ec2:DescribeImages")

    def __init__(self):
        self._lock, self._kept = threading.Lock(), {}

    def __call__(self, call, ask):
        if call.key not in self._UNCHANGING:
            return ask(call)
        with self._lock:
            if call.body not in self._kept:
                answer = ask(call)
                if answer.status != 200:
                    return answer
                self._kept[call.body] = answer
            return self._kept[call.body]


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.to_reset = set()

    def shutdown_request(self, request):
        if request not in self.to_reset:
            return super().shutdown_request(request)
        self.to_reset.discard(request)
        self.close_request(request)  # With nothing lingering, which makes it a reset.


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            answer = self.server.proxy.handle(Call(self.command, self.path, self.headers, body))
        except Reset:
            return self._reset()
        self.send_response(answer.status)
        for key, value in answer.headers.items():
            self.send_header(key, value)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[:int(len(answer.body) * answer.sent)])
        if answer.sent < 1:
            self.close_connection = True

    do_GET = do_POST = do_PUT = _serve

    def _reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.server.to_reset.add(self.request)
        self.close_connection = True

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True  # The caller has gone.

    def finish(self):
        try:
            super().finish()
        except ConnectionError:
            pass

    def log_message(self, *_):
        pass


def _service_of(headers, call):
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", headers.get("Authorization", ""))
    if scope:
        return scope.group(1)
    return "sts" if b"Action=AssumeRoleWithWebIdentity" in call.body else "unsigned"


def _name_of(call):
    target = call.headers.get("X-Amz-Target")
    if target:
        return target.rsplit(".", 1)[-1]
    if call.service == "eks":
        return "DescribeCluster"
    action = re.search(rb"(?:^|&)Action=(\w+)", call.body)
    return action.group(1).decode() if action else f"{call.method} {call.target}"
