"""The record that a simulated run writes: checks, observations, events and the past.

It takes down what the instruments of the world read, under the names and units of the probes
themselves: a name that no probe has is an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nethealth.model.check import CheckResult, ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.inventory import Asset, Council, Inventory, Site, Vantage
from nethealth.model.observation import Event, Interval, Observation, Passport, PastValue, Scalar
from nethealth.model.record import Instrument, Record, Run, Tool
from probes.call import CALL
from probes.capture.analyses import all_units
from probes.coexistence import COEXISTENCE
from probes.http import HTTP
from probes.ping import PING
from probes.route import ROUTE
from probes.sip import SIP
from probes.snmp import SNMP
from probes.stamp import STAMP

COUNCIL = "fenland"
UNITS: Mapping[ProbeKind, Mapping[str, str | None]] = {
    **{
        probe.kind: probe.units
        for probe in (PING, SNMP, COEXISTENCE, STAMP, SIP, CALL, ROUTE, HTTP)
    },
    "capture": all_units(),
}


@dataclass
class Book:
    """One run of a sweep, begun at `started`; everything is dated in seconds since then."""

    started: datetime
    instrument: Instrument = Instrument(socket_overflow_count=0, loop_lag_p99_s=0.001)
    sites: dict[str, Site] = field(default_factory=dict)
    assets: dict[str, Asset] = field(default_factory=dict)
    checks: list[CheckResult] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    past: list[PastValue] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)

    def check(
        self,
        probe: ProbeKind,
        at_s: float,
        *,
        asset: str | None = None,
        gateway_of: str | None = None,
        failure: Failure | None = None,
        lasts_s: float = 4.0,
        target: str | None = None,
        taken_at: str | None = None,
    ) -> str:
        """Begin a check of an asset, of a site's gateway, or of a capture; its id."""
        base: str
        site: str | None
        if asset is not None:
            known = self.assets[asset]
            base, site, target = f"{asset}:{probe}", known.site, known.address or asset
        elif gateway_of is not None:
            base, site = f"site.{gateway_of}:gateway:{probe}", gateway_of
            target = self.sites[gateway_of].gateway or gateway_of
        else:
            base, site, target = probe, taken_at, target or probe
        rounds = self._counts.get(base, 0) + 1
        self._counts[base] = rounds
        id_ = base if rounds == 1 else f"{base}#{rounds}"
        self.checks.append(
            CheckResult(
                id_, probe, COUNCIL if site else None, site, asset, target,
                Outcome.FAILED if failure else Outcome.COMPLETED, failure,
                str(failure) if failure else None, at_s, at_s + lasts_s,
            )
        )  # fmt: skip
        return id_

    def see(
        self,
        check: str,
        name: str,
        value: Scalar,
        at_s: float | None = None,
        *,
        samples: int | None = None,
        interval: Interval | None = None,
        failure: Failure | None = None,
        passport: Passport | None = None,
        **method: Scalar | Sequence[Scalar],
    ) -> None:
        """One observation of a check that has begun; `passport` is more of its `method`."""
        begun = next(one for one in reversed(self.checks) if one.id == check)
        number = self._counts.get(f"/{check}", 0) + 1
        self._counts[f"/{check}"] = number
        self.observations.append(
            Observation(
                f"{check}/{number}", check, name, value, UNITS[begun.probe][name],
                (begun.started_s or 0.0) + 1 if at_s is None else at_s,
                samples, interval, failure, {**(passport or {}), **method},
            )
        )  # fmt: skip

    def take(self, observations: Sequence[Observation]) -> None:
        """Observations that a probe's own code made."""
        self.observations += observations

    def event(self, kind: str, at_s: float, site: str | None, asset: str | None = None) -> None:
        """Something that a log tells; before the run where `at_s` is negative."""
        number = len(self.events) + 1
        self.events.append(
            Event(f"{kind}:{number}", self.moment(at_s), kind, site, asset, "syslog", 1.0)
        )

    def before(
        self, check: str, at_s: float, name: str, value: Scalar, **method: Scalar
    ) -> None:  # fmt: skip
        """What an earlier run read."""
        asset = check.partition(":")[0]
        passport: Passport = method
        self.past.append(
            PastValue(self.moment(at_s), check, asset, name, value, UNITS["snmp"][name], passport)
        )

    def moment(self, at_s: float) -> datetime:
        return self.started + timedelta(seconds=at_s)

    def record(self) -> Record:
        last_s = max((one.finished_s or 0.0 for one in self.checks), default=60.0)
        return Record(
            tool=Tool("0.1.0"),
            run=Run(
                "drawn", "sweep", "desk", self.started, self.moment(last_s + 1),
                instrument=self.instrument,
            ),
            inventory=Inventory(
                vantage=Vantage(id="desk", timezone="Europe/London"),
                council=(Council(id=COUNCIL, name="Fenland"),),
                site=tuple(self.sites.values()),
                asset=tuple(self.assets.values()),
            ),
            checks=tuple(self.checks),
            observations=tuple(self.observations),
            events=tuple(self.events),
            past=tuple(self.past),
        )  # fmt: skip
