"""Who a controller is to AWS: nobody but by a token in a file, for which it is given keys that end soon.

Links for a Proxy. Each other call must be signed with such keys while they hold, as botocore would sign it.
"""

import datetime
import json
import os
import pathlib
import secrets
import threading
import time

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from proxy import Answer

_ROLE_ARN = "arn:aws:iam::123456789012:role/joiner"
_LIFE = 90.0  # Seconds that keys hold. AWS gives an hour; the story is to see several.
_POD_IDENTITY_PATH = "/v1/credentials"
_SIGNED_WITHIN = 300.0


class _Identity:
    """`folder`: for the token's file."""

    def __init__(self, folder):
        self.token_file = pathlib.Path(folder) / "token"
        self._lock = threading.Lock()
        self._keys = {}  # (secret key, session token, when they end) by access key.
        self.secrets = set()
        self.given = self.turned_away = 0
        self.rotate()

    def rotate(self):
        """A new token; the old one and all keys given for it hold no longer."""
        with self._lock:
            self._token = f"eyJhbGciOiJSUzI1NiJ9.{secrets.token_urlsafe(300)}"
            self.secrets.add(self._token)
            new = self.token_file.with_suffix(".new")
            new.write_text(self._token + "\n")
            os.replace(new, self.token_file)
            self._keys = {name: (key, token, 0.0) for name, (key, token, _) in self._keys.items()}

    def _give_keys(self):
        name, key, token = "ASIA" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30), secrets.token_urlsafe(200)
        ends = time.time() + _LIFE
        self._keys[name] = (key, token, ends)
        self.secrets |= {key, token}
        self.given += 1
        return name, key, token, datetime.datetime.fromtimestamp(ends, datetime.timezone.utc).strftime(
            "%Y-%m-%dT%H:%M:%SZ")

    def _check(self, call):
        """Why the call is refused, as AWS's code; "" if it is not."""
        name, scope, signed, signature = _parts_of(call.headers.get("Authorization", ""))
        if name not in self._keys:
            return "InvalidClientTokenId"
        key, token, ends = self._keys[name]
        if time.time() > ends:
            return "ExpiredToken"
        if call.headers.get("X-Amz-Security-Token") != token or "x-amz-security-token" not in signed:
            return "InvalidClientTokenId"
        date = call.headers.get("X-Amz-Date", "")
        if abs(_seconds(date) - time.time()) > _SIGNED_WITHIN:
            return "RequestTimeTooSkewed"
        if not {"host", "x-amz-date"} <= set(signed) or signature != _signature(call, key, token, scope, signed, date):
            return "SignatureDoesNotMatch"
        return ""

    def __call__(self, call, ask):
        with self._lock:
            given = self._answer_if_asked_for_keys(call)
            if given:
                return given
            code = self._check(call)
            if not code:
                call.headers.replace_header("X-Amz-Security-Token", "moto-takes-any")
            else:
                self.turned_away += 1
                call.met = code
        return _refusal(call, code) if code else ask(call)


class WebIdentity(_Identity):
    """As IAM roles for service accounts: STS gives keys for the token."""

    def environment(self, _):
        return {"AWS_ROLE_ARN": _ROLE_ARN, "AWS_WEB_IDENTITY_TOKEN_FILE": str(self.token_file)}

    def _answer_if_asked_for_keys(self, call):
        if call.name != "AssumeRoleWithWebIdentity":
            return None
        form = call.form()
        if form.get("WebIdentityToken") != self._token or form.get("RoleArn") != _ROLE_ARN:
            call.met = "InvalidIdentityToken"
            return Answer(400, "text/xml", b"<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>No token of "
                                           b"ours</Message></Error></ErrorResponse>")
        name, key, token, ends = self._give_keys()
        return Answer(200, "text/xml", (
            '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{name}</AccessKeyId>"
            f"<SecretAccessKey>{key}</SecretAccessKey><SessionToken>{token}</SessionToken>"
            f"<Expiration>{ends}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
            "</AssumeRoleWithWebIdentityResponse>").encode())


class PodIdentity(_Identity):
    """As the agent of EKS Pod Identity on each node: it gives keys for the token."""

    def environment(self, url):
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url + _POD_IDENTITY_PATH,
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(self.token_file)}

    def _answer_if_asked_for_keys(self, call):
        if call.target != _POD_IDENTITY_PATH:
            return None
        if call.headers.get("Authorization") != self._token:
            call.met = "no token of ours"
            return Answer(400, "application/json", b"{}")
        name, key, token, ends = self._give_keys()
        return Answer(200, "application/json", json.dumps({
            "AccessKeyId": name, "SecretAccessKey": key, "Token": token, "Expiration": ends,
            "AccountId": "123456789012"}).encode())


def _parts_of(authorization):
    fields = dict(part.strip().partition("=")[::2] for part in authorization.partition(" ")[2].split(","))
    name, _, scope = fields.get("Credential", "").partition("/")
    return name, scope.split("/"), fields.get("SignedHeaders", "").split(";"), fields.get("Signature", "")


def _signature(call, key, token, scope, signed, date):
    _, region, service, _ = scope
    auth = SigV4Auth(Credentials("unused", key, token), service, region)
    request = AWSRequest(method=call.method, url=f"http://{call.headers['Host']}{call.target}", data=call.body,
                         headers={name: call.headers[name] for name in signed})
    request.context["timestamp"] = date
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)


def _seconds(date):
    try:
        return datetime.datetime.strptime(date, "%Y%m%dT%H%M%S%z").timestamp()
    except ValueError:
        return 0.0


def _refusal(call, code):
    # AWS explains a wrong signature with what it was made of; here all that was sent is quoted.
    sent = call.headers.get("X-Amz-Security-Token", "")
    if call.headers.get("X-Amz-Target") or call.service == "eks":
        code = {"ExpiredToken": "ExpiredTokenException", "InvalidClientTokenId": "UnrecognizedClientException",
                "SignatureDoesNotMatch": "InvalidSignatureException"}.get(code, code)
        return Answer(403, "application/x-amz-json-1.1", json.dumps({"__type": code, "message": sent}).encode(),
                      {"x-amzn-errortype": code})
    if call.service == "ec2":
        code = {"ExpiredToken": "RequestExpired", "InvalidClientTokenId": "AuthFailure"}.get(code, code)
        return Answer(403, "text/xml", (f"<Response><Errors><Error><Code>{code}</Code><Message>{sent}</Message></Error>"
                                        "</Errors></Response>").encode())
    return Answer(403, "text/xml", (f"<ErrorResponse><Error><Code>{code}</Code><Message>{sent}</Message></Error>"
                                    "</ErrorResponse>").encode())
