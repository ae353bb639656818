"""What a watch of one target sends: a trace of one packet a hop, and what suits the target."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nethealth.inventory.addresses import parse_sip_uri
from nethealth.inventory.faults import shown
from nethealth.model.check import (
    Check,
    Parameters,
    PingParameters,
    ProbeKind,
    RouteParameters,
    SipParameters,
    StampParameters,
)
from nethealth.model.inventory import Inventory, PingOptions, RouteOptions, SweepSettings
from nethealth.plan.errors import TargetError
from nethealth.plan.options import check_keys, with_options
from nethealth.plan.subject import Subject, checks_of, with_room
from nethealth.plan.targets import choose

EF = 46  # a watch is of the path of calls, so its packets are marked like theirs
PATH_EVERY_S = 1.0  # at most a trace a second: routers answer no more often
SIP_EVERY_S = 5.0  # an old PBX is asked no more often
STREAM_MAX_S = 5.0  # of a stream of STAMP in each round
PATH_TIMEOUT_S = 2.0
STREAM_TIMEOUT_S = 1.0
SIP_TIMEOUT_S = 4.0
_STREAM_PACKETS_MIN = 50
_SET_BY_THE_WATCH = ("count", "interval_ms", "timeout_ms", "timeout_s", "queries")
_NOT_IN_A_WATCH = ("username", "password_env", "test_account", "hops", "old_tls")
_FORMS = "a watch shows the path to a host, sip:…, sips:…, stamp:host, or the id of an asset"


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """The checks of one round, and how often each of them has one, in seconds by its id."""

    checks: tuple[Check, ...]
    every_s: Mapping[str, float]


def plan_watch(
    text: str,
    inventory: Inventory | None,
    *,
    interval_s: float,
    options: Mapping[str, str] | None = None,
    echo: bool = True,
) -> WatchPlan:
    """The rounds of a watch of one TARGET; raises TargetError with every fault.

    `echo`: whether this machine may send echo requests; without them UDP looks for the path. The
    tables of an asset say what they say in a sweep, but that a watch never logs in or registers,
    and sends one packet at a time.
    """
    options = options or {}
    faults = [
        f"option {shown(key)} has no meaning in a watch, which paces itself by --interval"
        for key in options
        if key in _SET_BY_THE_WATCH
    ]
    faults += [
        f"option {shown(key)} has no meaning in a watch, which asks by plain OPTIONS alone"
        for key in options
        if key in _NOT_IN_A_WATCH
    ]
    try:
        subject, kinds = _chosen(text, inventory, echo=echo)
    except ValueError as error:
        raise TargetError([*faults, f"{shown(text)}: {error}"]) from None
    faults += check_keys(options, kinds)
    subject, wrong = with_options(_marked(subject, echo=echo), kinds, options)
    if faults or wrong:
        raise TargetError(tuple(dict.fromkeys([*faults, *wrong])))
    sweep = inventory.sweep if inventory else SweepSettings()
    checks = tuple(
        with_room(replace(check, parameters=_of_a_round(check.parameters, interval_s)))
        for check in checks_of(subject, kinds, sweep)
    )
    return WatchPlan(checks, {check.id: _every_s(check.probe, interval_s) for check in checks})


def _chosen(
    text: str, inventory: Inventory | None, *, echo: bool
) -> tuple[Subject, tuple[ProbeKind, ...]]:
    if inventory and text in [site.id for site in inventory.site]:
        raise ValueError(f"a site has many paths; {_FORMS}")
    ((subject, planned),) = choose(text, inventory, ())
    if subject.asset is None and not {"ping", "sip", "stamp"}.intersection(planned):
        raise ValueError(f"nothing of a call; {_FORMS}")
    uri = subject.sip.uri if subject.sip else None
    if not subject.address:
        if not uri:
            raise ValueError("the inventory gives no address, so that no path leads there")
        subject = replace(subject, address=parse_sip_uri(uri).host)
    kinds: list[ProbeKind] = ["route"]
    if "stamp" in planned:
        kinds.append("stamp")
    elif echo:
        kinds.append("ping")
    if "sip" in planned:
        kinds.append("sip")
    return subject, tuple(kinds)


def _marked(subject: Subject, *, echo: bool) -> Subject:
    """The subject with the marks of a call, where neither the inventory nor the user says more."""
    if subject.route is None:
        method = RouteOptions(method="icmp" if echo else "udp", dscp=EF)
        subject = replace(subject, route=method)
    if subject.ping is None:
        subject = replace(subject, ping=PingOptions(dscp=EF))
    return subject


def _of_a_round(parameters: Parameters, interval_s: float) -> Parameters:
    match parameters:
        case RouteParameters():
            return replace(parameters, queries=1, timeout_s=PATH_TIMEOUT_S)
        case PingParameters():
            return replace(parameters, count=1)
        case StampParameters():
            lasting_s = min(max(interval_s, PATH_EVERY_S), STREAM_MAX_S)
            count = max(_STREAM_PACKETS_MIN, int(lasting_s / parameters.interval_s))
            return replace(parameters, count=count, timeout_s=STREAM_TIMEOUT_S)
        case SipParameters():
            return replace(
                parameters,
                timeout_s=min(parameters.timeout_s, SIP_TIMEOUT_S),
                username=None,
                password_env=None,
                test_account=False,
                hops=False,
                old_tls=False,
            )
        case _:
            return parameters


def _every_s(kind: ProbeKind, interval_s: float) -> float:
    if kind == "sip":
        return max(interval_s, SIP_EVERY_S)
    return interval_s if kind == "ping" else max(interval_s, PATH_EVERY_S)
