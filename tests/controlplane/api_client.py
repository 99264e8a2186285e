"""Talks JSON to one Kubernetes API server over kept-alive connections, one per thread.

For tests and measurements: no caches, no retries but on a connection that the server has closed meanwhile;
errors are raised as ApiError with the server's code.
"""

import http.client
import json
import ssl
import threading
import urllib.parse


class ApiError(Exception):
    def __init__(self, code, body):
        self.code = code
        self.body = body
        message = body.get("message", "") if isinstance(body, dict) else str(body)
        super().__init__(f"HTTP {code}: {message}")


class ApiClient:
    def __init__(self, host, port, token, ca_file):
        self._host = host
        self._port = port
        self._token = token
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._local = threading.local()

    def get(self, path, **query):
        return self.request("GET", path, query=query)

    def items(self, path, **query):
        return self.get(path, **query)["items"]

    def get_or_none(self, path):
        try:
            return self.get(path)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def post(self, path, body, **query):
        return self.request("POST", path, body=body, query=query)

    def put(self, path, body, **query):
        return self.request("PUT", path, body=body, query=query)

    def patch(self, path, body, **query):
        """A merge patch."""
        return self.request("PATCH", path, body=body, content_type="application/merge-patch+json", query=query)

    def delete(self, path, **query):
        return self.request("DELETE", path, query=query)

    def request(self, method, path, body=None, content_type="application/json", query=None, timeout=30.0):
        # A kept-alive connection may have been closed by the server meanwhile; that shows only when it is
        # used, so a failure on a connection that has served before is tried once more on a new one. So is a read
        # on any.
        served_before = getattr(self._local, "connection", None) is not None
        try:
            return self._request_once(method, path, body, content_type, query, timeout)
        except (http.client.BadStatusLine, http.client.CannotSendRequest, ConnectionError, ssl.SSLEOFError):
            self.close()
            if not served_before and method != "GET":
                raise
            return self._request_once(method, path, body, content_type, query, timeout)

    def raw(self, path, timeout=30.0):
        """The body of a GET as bytes, whatever it is."""
        return self._exchange("GET", path, None, {}, timeout)[1]

    def watch(self, path, resource_version, timeout_seconds=300, **query):
        """Yields (type, object) from a watch on a connection of its own, until the server ends it."""
        query |= {"watch": "1", "resourceVersion": resource_version, "timeoutSeconds": str(timeout_seconds)}
        connection = self._connect(timeout_seconds + 10)
        try:
            connection.request("GET", _with_query(path, query), headers=self._headers())
            response = connection.getresponse()
            if response.status != 200:
                raise ApiError(response.status, _decode(response.read()))
            for line in response:
                event = json.loads(line)
                yield event["type"], event["object"]
        finally:
            connection.close()

    def close(self):
        connection = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            connection.close()

    def _request_once(self, method, path, body, content_type, query, timeout):
        headers = {"Content-Type": content_type} if body is not None else {}
        payload = json.dumps(body).encode() if body is not None else None
        status, answer = self._exchange(method, _with_query(path, query), payload, headers, timeout)
        decoded = _decode(answer)
        if status >= 400:
            raise ApiError(status, decoded)
        return decoded

    def _exchange(self, method, path, payload, headers, timeout):
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect(timeout)
        elif connection.sock is not None:
            connection.sock.settimeout(timeout)
        try:
            connection.request(method, path, body=payload, headers=self._headers() | headers)
            response = connection.getresponse()
            return response.status, response.read()
        except Exception:
            self.close()
            raise

    def _connect(self, timeout):
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)

    def _headers(self):
        return {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}


def _with_query(path, query):
    query = {key: value for key, value in (query or {}).items() if value is not None}
    if not query:
        return path
    return path + ("&" if "?" in path else "?") + urllib.parse.urlencode(query)


def _decode(answer):
    try:
        return json.loads(answer)
    except ValueError:
        return {"message": answer.decode(errors="replace")}
