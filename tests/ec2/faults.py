"""What goes wrong between a controller and AWS, by seed: links for a Proxy."""

import random
import re
import threading
import time
import xml.etree.ElementTree
import xml.sax.saxutils

from proxy import Answer, Reset

_XML, _JSON = "text/xml;charset=UTF-8", "application/x-amz-json-1.1"
_HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Faults:
    """The nth call of a kind meets the same whenever the seed is the same."""

    KINDS = ("throttled", "internal error", "HTML", "cut", "reset", "delayed", "answer lost")

    def __init__(self, seed, share=0.2):
        self._seed, self._share = seed, share

    def __call__(self, call, ask):
        draw = random.Random(f"{self._seed} {call.key} {call.number}")
        if draw.random() >= self._share:
            return ask(call)
        call.met = draw.choice(self.KINDS)
        if call.met == "throttled":
            return _error(call, "RequestLimitExceeded", "ThrottlingException", 503, "Request limit exceeded.")
        if call.met == "internal error":
            return _error(call, "InternalError", "InternalServerError", 500, "An internal error has occurred")
        if call.met == "HTML":
            return Answer(draw.choice((500, 502)), "text/html", _HTML)
        if call.met == "reset":
            raise Reset
        if call.met == "delayed":
            time.sleep(draw.uniform(1, 5))
            return ask(call)
        answer = ask(call)  # What was asked for is done.
        if call.met == "answer lost":
            raise Reset
        return answer._replace(sent=draw.uniform(0.1, 0.9))


class Shortages:
    """A share of all offerings is sold out for good, and a share of the fleets gets nothing at all: what EC2 cannot
    launch stands in the fleet's errorSet, beside instances or alone.

    zones: a function that says the zone of each subnet.
    """

    def __init__(self, seed, zones, share=0.6, share_of_fleets=0.3):
        self._seed, self._zones, self._share, self._share_of_fleets = seed, zones, share, share_of_fleets
        self.alone = self.beside = 0  # Answers with errors.
        self.asked = {}  # When sold-out offerings were asked for: time.monotonic() by lifecycle, type and zone.

    def is_sold_out(self, lifecycle, kind, zone):
        return self._is_under(self._share, lifecycle, kind, zone)

    def _is_under(self, share, *names):
        return random.Random(f"{self._seed} {' '.join(names)}").random() < share

    def __call__(self, call, ask):
        if call.key != "ec2:CreateFleet" or call.form().get("DryRun") == "true":
            return ask(call)
        form, sold_out = self._without_sold_out(call.form())
        if not sold_out:
            return ask(call)
        errors = "".join(map(_fleet_error, sold_out))
        if not any(".Overrides." in key for key in form):
            self.alone += 1
            return Answer(200, _XML, (
                '<CreateFleetResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId>'
                f"<fleetId>fleet-0</fleetId><errorSet>{errors}</errorSet><fleetInstanceSet/>"
                "</CreateFleetResponse>").encode())
        answer = ask(call.with_form(form))
        body, count = re.subn(rb"<errorSet\s*/>|<errorSet>\s*</errorSet>",
                              f"<errorSet>{errors}</errorSet>".encode(), answer.body)
        assert count or answer.status != 200, "the answer of CreateFleet has no errorSet"
        self.beside += count
        return answer._replace(body=body)

    def _without_sold_out(self, form):
        """The form with what is left, its configurations and overrides numbered anew; and what was taken out."""
        zones = self._zones()
        lifecycle = form["TargetCapacitySpecification.DefaultTargetCapacityType"]
        is_unlucky = self._is_under(self._share_of_fleets, form.get("ClientToken", ""))
        rest, configs = {}, {}
        for key, value in form.items():
            config = re.fullmatch(r"LaunchTemplateConfigs\.(\d+)\.(.*)", key)
            if not config:
                rest[key] = value
                continue
            specification, overrides = configs.setdefault(config[1], ({}, {}))
            override = re.fullmatch(r"Overrides\.(\d+)\.(.*)", config[2])
            if override:
                overrides.setdefault(override[1], {})[override[2]] = value
            else:
                specification[config[2]] = value
        sold_out, number = [], 0
        for specification, overrides in configs.values():
            left = []
            for override in overrides.values():
                zone = override.get("AvailabilityZone") or zones[override["SubnetId"]]
                if is_unlucky or self.is_sold_out(lifecycle, override["InstanceType"], zone):
                    self.asked.setdefault((lifecycle, override["InstanceType"], zone), []).append(time.monotonic())
                    sold_out.append({"lifecycle": lifecycle, "zone": zone, **specification, **override})
                else:
                    left.append(override)
            if not left:
                continue
            number += 1
            prefix = f"LaunchTemplateConfigs.{number}."
            rest |= {prefix + key: value for key, value in specification.items()}
            rest |= {f"{prefix}Overrides.{at}.{key}": value
                     for at, override in enumerate(left, 1) for key, value in override.items()}
        return rest, sold_out


class LateListing:
    """EC2 lists an instance some seconds after it was bought, and not at once.

    purchases: the link that sees what is bought.
    """

    def __init__(self, seed, purchases, longest=15.0):
        self._seed, self._purchases, self._longest = seed, purchases, longest
        self.kept_back = 0

    def __call__(self, call, ask):
        answer = ask(call)
        if call.key != "ec2:DescribeInstances" or answer.status != 200:
            return answer
        root = xml.etree.ElementTree.fromstring(answer.body)
        namespace = root.tag.partition("}")[0] + "}"
        listed = root.find(f"{namespace}reservationSet")
        late = [item for item in listed if self._is_late(item.findtext(f".//{namespace}instanceId"))]
        if not late:
            return answer
        for item in late:
            listed.remove(item)
        self.kept_back += len(late)
        call.met = "not listed yet"
        return answer._replace(body=xml.etree.ElementTree.tostring(root, default_namespace=namespace.strip("{}")))

    def _is_late(self, instance_id):
        wait = random.Random(f"{self._seed} {instance_id}").uniform(0, self._longest)
        return self._purchases.age(instance_id) < wait


class Purchases:
    """Innermost link: knows what moto has bought, and can keep an answer back until its caller is no more."""

    def __init__(self):
        self._condition = threading.Condition()
        self._bought = {}  # When, by the id of the instance.
        self._is_holding = False
        self._held = 0
        self._most = None

    def __call__(self, call, ask):
        answer = ask(call)
        if call.key != "ec2:CreateFleet" or answer.status != 200:
            return answer
        ids = re.findall(r"\bi-[0-9a-f]{8,}", answer.body.decode())
        with self._condition:
            for each in ids:
                self._bought.setdefault(each, time.monotonic())
            if not self._is_holding or not ids or self._held == self._most:
                return answer
            self._held += 1
            self._condition.notify_all()
            self._condition.wait_for(lambda: not self._is_holding, timeout=120)
        call.met = "killed"
        raise Reset

    def age(self, instance_id):
        """Seconds."""
        with self._condition:
            return time.monotonic() - self._bought.get(instance_id, 0.0)

    def hold(self, most=None):
        """From now on purchases are made, and their answers lost; `most`: of no more than so many calls."""
        with self._condition:
            self._is_holding, self._held, self._most = True, 0, most

    def wait_held(self, seconds):
        with self._condition:
            return self._condition.wait_for(lambda: self._held, timeout=seconds)

    def release(self):
        with self._condition:
            self._is_holding = False
            self._condition.notify_all()


def _error(call, code_of_xml, code_of_json, status, message):
    if call.headers.get("X-Amz-Target") or call.service == "eks":
        return Answer(400 if status == 503 else status, _JSON,
                      f'{{"__type":"{code_of_json}","message":"{message}"}}'.encode(),
                      {"x-amzn-errortype": code_of_json})
    if call.service == "ec2":
        return Answer(status, _XML, (f"<Response><Errors><Error><Code>{code_of_xml}</Code><Message>{message}</Message>"
                                     "</Error></Errors><RequestID>1</RequestID></Response>").encode())
    code = "Throttling" if status == 503 else code_of_xml
    return Answer(400 if status == 503 else status, _XML,
                  (f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
                   "<RequestId>1</RequestId></ErrorResponse>").encode())


def _fleet_error(offering):
    text = {key: xml.sax.saxutils.escape(value) for key, value in offering.items()}
    template = "".join(f"<{name}>{text[key]}</{name}>" for name, key in (
        ("launchTemplateId", "LaunchTemplateSpecification.LaunchTemplateId"),
        ("launchTemplateName", "LaunchTemplateSpecification.LaunchTemplateName"),
        ("version", "LaunchTemplateSpecification.Version")) if key in text)
    subnet = f"<subnetId>{text['SubnetId']}</subnetId>" if "SubnetId" in text else ""
    return (f"<item><errorCode>InsufficientInstanceCapacity</errorCode><errorMessage>We currently do not have "
            f"sufficient {text['InstanceType']} capacity in the Availability Zone you requested ({text['zone']})."
            f"</errorMessage><lifecycle>{text['lifecycle']}</lifecycle><launchTemplateAndOverrides>"
            f"<launchTemplateSpecification>{template}</launchTemplateSpecification><overrides>"
            f"<instanceType>{text['InstanceType']}</instanceType>{subnet}"
            f"<availabilityZone>{text['zone']}</availabilityZone></overrides></launchTemplateAndOverrides></item>")
