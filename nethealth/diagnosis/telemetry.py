"""Devices and sensors that have fallen silent: no news of a server room is not good news."""

from collections.abc import Iterator

from nethealth.diagnosis.device import devices, past_of
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Place, Round, number
from nethealth.diagnosis.failures import SAYING
from nethealth.diagnosis.rounds import persistent
from nethealth.diagnosis.text import listing
from nethealth.model.failure import Failure
from nethealth.model.finding import Finding, Refutation

_OURS = frozenset({Failure.RESOLVE, Failure.INTERRUPTED})


def silent_sensors(evidence: Evidence) -> Iterator[Finding]:
    """`sensor-silent` for each device that does not answer by SNMP, and for each sensor that a
    device no longer reads."""
    for host in evidence.hosts:
        for series in host.of("snmp"):
            faults = persistent(series.rounds, _fault)
            if faults:
                yield _device(evidence, host, [one for one, _ in faults], faults[-1][1])
    yield from _sensors(evidence)


def _fault(one: Round) -> Failure | None:
    failure = one.check.failure
    return None if one.number("snmp_response_delay_median_s") is not None else failure


def _device(evidence: Evidence, host: Host, rounds: list[Round], failure: Failure) -> Finding:
    past = past_of(evidence, host)
    where, last = host.place, rounds[-1].check
    before = f"It last did at {past[-1].time:%Y-%m-%d %H:%M} UTC. " if past else ""
    refused = failure is Failure.AUTH
    pings = [one for one in host.pings if one.received]
    return draft(
        evidence,
        "sensor-silent",
        where,
        f"{where.name} {SAYING[failure]} by SNMP. {before}"
        "What it measures is not watched meanwhile.",
        rounds=rounds,
        seen=[one.first("snmp_unanswered_count") for one in rounds],
        refutations=(
            Refutation(
                "Does the device answer otherwise?",
                "yes: it answers pings" if pings else "no, or it was not asked",
            ),
            Refutation(
                "Did it answer with these credentials before?",
                "yes" if past else "not in the last 24 hours, as far as this history goes",
            ),
        ),
        missing=() if past or refused else ("whether the community or the passwords are right",),
        alternatives=(
            "credentials that were changed on the device" if refused
            else "a wrong community or privacy password, which is met with the same silence",
            "a filter that lets SNMP through from other addresses only",
        ),
        action=f"The probe said: {last.reason}." if last.reason else "",
    )  # fmt: skip


def _sensors(evidence: Evidence) -> Iterator[Finding]:
    for device in devices(evidence):
        group = device.now("snmp_group", group="sensors")
        if group is None or group.value not in {"read", "absent"}:
            continue  # it was not asked, or not to the end
        known = {
            str(one.method.get("sensor"))
            for one in device.past
            if one.name == "temperature_celsius" and one.value is not None
        }
        now = {
            str(seen.method.get("sensor"))
            for seen in device.last.all("temperature_celsius")
            if number(seen) is not None
        }
        gone = sorted(known - now)
        dumb = [seen for seen in device.last.all("temperature_celsius") if number(seen) is None]
        listed = {str(seen.method.get("sensor")) for seen in dumb}
        if not gone:
            continue
        where = device.place
        yield draft(
            evidence,
            "sensor-silent",
            Place(f"{where.key}:sensors", where.name, where.council, where.site, where.asset),
            f"{where.name} no longer reads {listing(gone)}, which it did in the last 24 hours.",
            rounds=device.rounds[-1:],
            seen=[group, *dumb],
            refutations=(
                Refutation(
                    "Does the device still list it?",
                    "yes, without a value" if listed & set(gone) else "no",
                ),
            ),
            alternatives=("a sensor that was renamed or moved",),
        )  # fmt: skip
