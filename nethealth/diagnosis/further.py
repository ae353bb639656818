"""What to measure next: the cheapest further measurements that would settle what is still open.

Open is a finding that is `suggestive` or `insufficient-data`. Each step is a command that one can
run as it stands; it is chosen by the finding's code, from the probes that the inventory's assets
have, and steps that disturb least, then those that take least time, come first.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from shlex import quote

from nethealth.model.finding import Finding, FindingCode, Verdict
from nethealth.model.inventory import Asset
from nethealth.model.record import Record

_OPEN = frozenset({Verdict.SUGGESTIVE, Verdict.INSUFFICIENT_DATA})
_PACKETS = re.compile(r"about (\d{1,9}) packets")
_PING_COUNT, _PING_MOST, _PING_INTERVAL_S = 200, 10_000, 0.2

# What a measurement does to those who use the network meanwhile, the least first.
DISTURBANCES = (
    "nothing is sent", "a few packets", "reads the device", "a stream like a call",
    "one test call", "a bounded load",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One measurement: the command, about how long it takes, and how it disturbs.

    `settles`: the ids of the findings that it is for. `first`: what must be there before.
    """

    command: str
    takes_s: float
    disturbance: int
    settles: tuple[str, ...]
    first: str | None = None


@dataclass(frozen=True, slots=True)
class Further:
    """The steps in their order, and the findings that no command of ours settles."""

    steps: tuple[Step, ...]
    by_hand: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Cost:
    takes_s: float
    disturbance: int


_COSTS: Mapping[str, _Cost] = {
    "ping": _Cost(45, 1),
    "tcp": _Cost(5, 1),
    "dns": _Cost(5, 1),
    "http": _Cost(10, 1),
    "sip": _Cost(10, 1),
    "route": _Cost(30, 1),
    "path-mtu": _Cost(30, 1),
    "sip-alg": _Cost(20, 1),
    "nat": _Cost(165, 1),
    "snmp": _Cost(35, 2),
    "stamp": _Cost(15, 3),
    "call": _Cost(15, 4),
    "coexistence": _Cost(30, 5),
}
_LISTEN, _SYSLOG, _CALLS, _TRIAL, _DOCTOR = "listen", "syslog", "calls", "trial", "doctor"
_LISTEN_S = 600

_LAN = ("snmp", _LISTEN)
_SIGNALLING = (_SYSLOG, _LISTEN)
# What tells more of each, in any order: the cost sorts it.
MEASURES: Mapping[FindingCode, Sequence[str]] = {
    "phone-loop": _LAN,
    "phone-power-loop": (_SYSLOG, "snmp"),
    "duplex-mismatch": ("snmp",),
    "voice-vlan-conflict": _LAN,
    "dhcp-exhaustion": _SIGNALLING,
    "registration-avalanche": _SIGNALLING,
    "keepalive-reset": _SIGNALLING,
    "firmware-wave": _SIGNALLING,
    "multicast-flood": _LAN,
    "broadcast-sensitive-phones": (_LISTEN, _TRIAL),
    "unknown-unicast-flood": _LAN,
    "address-conflict": ("snmp", _SYSLOG, _LISTEN),
    "dscp-misuse": (_LISTEN, "route"),
    "no-wan-qos": ("stamp", "coexistence"),
    "dscp-bleached": ("route", "stamp"),
    "media-hairpin": (_LISTEN,),
    "call-load": (_CALLS, "snmp", _TRIAL),
    "clock-slip": ("snmp",),
    "fax-over-ip": (_LISTEN,),
    "poe-budget": ("snmp", _SYSLOG),
    "obsolete-security": ("sip", _LISTEN),
    "slow-port-start": ("snmp", _LISTEN),
    "sip-down": ("sip", "ping"),
    "sip-overload": ("sip", "ping"),
    "sip-malformed": ("sip", _LISTEN),
    "sip-auth": ("sip",),
    "sip-alg": ("sip-alg",),
    "nat-binding-short": ("nat",),
    "one-way-audio": ("call", _LISTEN),
    "call-failed": ("sip", "call"),
    "path-mtu-black-hole": ("path-mtu",),
    "poor-voice-quality": ("stamp", "call", _LISTEN),
    "host-down": ("ping", "tcp"),
    "site-outage": ("ping", "route"),
    "packet-loss": ("ping", "stamp", "snmp"),
    "high-delay": ("ping", "route", "stamp"),
    "queueing-delay": ("stamp", "coexistence"),
    "dns-failure": ("dns",),
    "service-down": ("tcp", "http"),
    "certificate-expiry": ("http",),
    "broadcast-storm": _LAN,
    "spanning-tree-change": ("snmp", _SYSLOG),
    "provider-loss": ("route", "stamp"),
    "overheating": ("snmp",),
    "sensor-silent": ("snmp", "ping"),
    "instrument-limited": (_DOCTOR,),
    "level-change": (_SYSLOG, _CALLS),
}


def further(record: Record) -> Further:
    """What would settle the open findings of a record, by what its inventory can measure."""
    steps: dict[str, Step] = {}
    by_hand = []
    for finding in record.findings:
        if finding.verdict not in _OPEN:
            continue
        found = [*_steps(record, finding)]
        if not found:
            by_hand.append(finding)
        for step in found:
            known = steps.get(step.command, step)
            settles = tuple(dict.fromkeys((*known.settles, *step.settles)))
            steps[step.command] = replace(known, settles=settles)
    ordered = sorted(steps.values(), key=lambda one: (one.disturbance, one.takes_s, one.command))
    return Further(tuple(ordered), tuple(by_hand))


def _steps(record: Record, finding: Finding) -> Iterator[Step]:
    for measure in MEASURES.get(finding.code, ()):
        match measure:
            case "listen":
                yield Step(
                    f"nethealth capture record -I eth0 -o recorded/ --for {_LISTEN_S}s", _LISTEN_S,
                    0, (finding.id,),
                    "a mirror port, and the right to capture there; name its interface in place of "
                    "eth0, then read the folder with `nethealth capture read`",
                )  # fmt: skip
            case "syslog":
                yield Step("nethealth import syslog /var/log/syslog", 5, 0, (finding.id,),
                           "the log of the switches and servers of these times")  # fmt: skip
            case "calls":
                yield Step("nethealth import calls calls.csv --key-file engagement.key", 5, 0,
                           (finding.id,), "the call records of these times")  # fmt: skip
            case "trial":
                yield Step("nethealth experiment plan hypotheses.toml", 5, 0, (finding.id,),
                           "what is to be tested, written down")  # fmt: skip
            case "doctor":
                yield Step("nethealth doctor", 5, 0, (finding.id,))
            case _:
                yield from _probed(record, finding, measure)


def _probed(record: Record, finding: Finding, kind: str) -> Iterator[Step]:
    """One check by a probe, of the finding's own host or of what its site has for that."""
    cost = _COSTS[kind]
    for target in _targets(record, finding, kind):
        command = f"nethealth check {quote(target)} --probe {kind}"
        takes_s = cost.takes_s
        if kind == "ping":
            hosts = max(1, sum(one.site == finding.site for one in record.inventory.asset))
            count = _ping_count(finding, 1 if finding.asset or not finding.site else hosts)
            command += f" --option count={count}"
            takes_s = 2 + count * _PING_INTERVAL_S
        if kind == "route" and finding.code.startswith("dscp"):
            command += " --option dscp=46"
        yield Step(command, takes_s, cost.disturbance, (finding.id,))


def _ping_count(finding: Finding, hosts: int) -> int:
    """As many as the finding says are missing, shared by the hosts of its place."""
    for words in finding.missing:
        if match := _PACKETS.search(words):
            return min(_PING_MOST, max(20, ceil(int(match[1]) / hosts)))
    return _PING_COUNT


def _targets(record: Record, finding: Finding, kind: str) -> Sequence[str]:
    """Ids of assets that can be asked so; the whole site for what every host answers."""
    assets = [one for one in record.inventory.asset if one.site == finding.site]
    able = [one.id for one in assets if _able(one, kind)]
    if kind in {"stamp", "coexistence", "sip-alg", "nat"}:
        return able[:1]
    if kind in {"snmp", "call", "sip", "dns", "http", "tcp"}:
        if finding.asset in able:
            return (finding.asset,) if finding.asset else ()
        return able
    if finding.asset is not None:
        return (finding.asset,)
    if finding.site is not None:
        return (finding.site,) if assets or _gateway(record, finding.site) else ()
    key = finding.id.partition(":")[2]
    lone = [one.target for one in record.checks if one.id.startswith(f"{key}:") and not one.site]
    return lone[:1]


def _gateway(record: Record, site: str) -> bool:
    return any(one.id == site and one.gateway for one in record.inventory.site)


def _able(asset: Asset, kind: str) -> bool:
    """Whether the inventory says of an asset that it answers this."""
    match kind:
        case "stamp":
            return asset.kind == "reflector" or asset.stamp is not None
        case "coexistence" | "sip-alg" | "nat":
            return asset.kind == "reflector"
        case "sip":
            return asset.sip is not None or asset.kind in {"pbx", "sbc"}
        case "tcp" | "dns" | "http" | "call" | "snmp":
            return getattr(asset, kind) is not None
    return True
