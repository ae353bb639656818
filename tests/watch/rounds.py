"""Rounds of a watch, written by hand as the probes would have seen them."""

from collections.abc import Sequence

from nethealth.model.check import (
    Check,
    CheckResult,
    PingParameters,
    RouteParameters,
    SipParameters,
    StampParameters,
)
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Scalar
from nethealth.watch import Watch

TARGET = "192.0.2.9"
ROUTE = Check("t:route", "route", None, None, None, TARGET,
              RouteParameters(TARGET, "icmp", 0, 1, dscp=46))  # fmt: skip
PING = Check("t:ping", "ping", None, None, None, TARGET, PingParameters(TARGET, count=1, dscp=46))
STAMP = Check("t:stamp", "stamp", None, None, None, TARGET, StampParameters(TARGET, count=50))
SIP = Check("t:sip", "sip", None, None, None, f"sip:{TARGET}",
            SipParameters(f"sip:{TARGET}", TARGET, 5060))  # fmt: skip
ROUTERS = ("192.0.2.1", "192.0.2.2", "192.0.2.3")
Hop = tuple[str, float, int | None] | None  # who answered, after how long, the quoted mark


def seen(check: str, name: str, value: Scalar, *, samples: int | None = None,
         failure: Failure | None = None, **method: Scalar) -> Observation:  # fmt: skip
    return Observation(
        f"{check}/{name}", check, name, value,
        samples=samples, failure=failure, method={"address": TARGET, "ip_version": 4, **method},
    )  # fmt: skip


def trace(hops: Sequence[Hop], *, reached: bool = True) -> list[Observation]:
    """One trace of one packet a hop; the last of `hops` is the target if it was `reached`."""
    found = []
    for number, hop in enumerate(hops, 1):
        if hop is None:
            found.append(
                seen("t:route", "hop_address", None, failure=Failure.TIMEOUT, hop=number, dscp=46)
            )
            continue
        address, delay_s, mark = hop
        found.append(seen("t:route", "hop_address", address, samples=1, hop=number, dscp=46))
        found.append(seen("t:route", "hop_round_trip_delay_median_s", delay_s, hop=number))
        found.append(seen("t:route", "hop_dscp_quoted", mark, hop=number))
    return [*found, seen("t:route", "route_reached", reached)]


def path(*silent: int, mark: int | None = 46) -> list[Observation]:
    """A trace over three routers to the target, some of which are silent."""
    names = [*ROUTERS, TARGET]
    return trace(
        [
            None if number in silent else (name, number / 1000, mark if name != TARGET else None)
            for number, name in enumerate(names, 1)
        ]
    )


def echo(delay_s: float | None, *, mark: int = 46) -> list[Observation]:
    """One echo request."""
    lost = delay_s is None
    return [
        seen("t:ping", "packets_sent_count", 1),
        seen("t:ping", "packets_received_count", 0 if lost else 1),
        seen("t:ping", "round_trip_delay_median_s", delay_s),
        seen("t:ping", "dscp_received", None if lost else mark),
    ]


def options(code: int | None, delay_s: float | None = 0.01, **facts: str) -> list[Observation]:
    """One OPTIONS; `phrase` and `server` as the far end wrote them."""
    failure = Failure.TIMEOUT if code is None else None
    phrase = facts.get("phrase", "OK")
    found = [
        seen("t:sip", "sip_response_delay_s", None if code is None else delay_s),
        seen("t:sip", "sip_transmission_count", 1),
        seen("t:sip", "sip_status_code", code, failure=failure, reason_phrase=phrase),
    ]
    server = facts.get("server")
    return found + ([seen("t:sip", "sip_server", server)] if server is not None else [])


def stream(lost_forward: int, lost_back: int, *, mark: int = 46) -> list[Observation]:
    """One stream of 50 packets, each direction apart."""
    found = [
        seen("t:stamp", "packets_sent_count", 50),
        seen("t:stamp", "round_trip_delay_min_s", 0.020),
        seen("t:stamp", "round_trip_delay_median_s", 0.022),
    ]
    ways = (
        ("round-trip", 50, lost_forward + lost_back),
        ("forward", 50, lost_forward),
        ("return", 50 - lost_forward, lost_back),
    )
    for direction, sent, lost in ways:
        found += [
            seen("t:stamp", "packets_lost_count", lost, samples=sent, direction=direction),
            seen("t:stamp", "packet_loss_ratio", lost / sent, samples=sent, direction=direction),
            seen("t:stamp", "pdv_p95_s", 0.004, direction=direction),
            seen("t:stamp", "pdv_p99_s", 0.006, direction=direction),
        ]
        if lost:
            found.append(seen("t:stamp", "packet_loss_burst_ratio", 1.0, direction=direction))
        if direction != "round-trip":
            found += [
                seen("t:stamp", "dscp_received", mark, direction=direction),
                seen("t:stamp", "r_factor", 80.0, direction=direction, loss_ratio=lost / sent),
            ]
    return found


def result(
    check: Check, outcome: Outcome = Outcome.COMPLETED, failure: Failure | None = None,
    reason: str | None = None, at_s: float = 1.0,
) -> CheckResult:  # fmt: skip
    return CheckResult(
        check.id, check.probe, None, None, None, check.target, outcome, failure, reason, at_s,
        at_s + 0.1,
    )  # fmt: skip


def feed(watch: Watch, check: Check, *rounds: list[Observation]) -> None:
    """Rounds that ended in order, each completed."""
    for one in rounds:
        watch.take(check.id, watch.begin(check.id), result(check), one)
