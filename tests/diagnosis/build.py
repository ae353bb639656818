"""A record made by hand: sites, what each probe of them saw, and how the run went.

It says only what a probe would have said, and computes no statistic by the program's own code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from nethealth.diagnosis import judge
from nethealth.model.check import CheckResult, ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.finding import Finding, FindingCode, Severity
from nethealth.model.inventory import Asset, Council, Inventory, Line, Site, Vantage
from nethealth.model.observation import Event, Observation, Passport, PastValue, Scalar
from nethealth.model.record import Instrument, Record, Run, RunKind, Tool

STARTED = datetime(2026, 11, 22, 19, 0, 0, tzinfo=UTC)
FINISHED = STARTED + timedelta(seconds=60)


@dataclass
class Scene:
    """Add what was measured, then read `findings()`; every method gives the scene back."""

    vantage_site: str | None = None
    kind: RunKind = "sweep"
    instrument: Instrument = Instrument(socket_overflow_count=0, loop_lag_p99_s=0.001)
    severity: Mapping[FindingCode, Severity] = field(default_factory=dict)
    sites: dict[str, Site] = field(default_factory=dict)
    assets: dict[str, Asset] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    past: list[PastValue] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def site(self, site: str, upstream: str | None = None) -> "Scene":
        self.sites[site] = Site(
            id=site, council="scdc", name=f"{site.title()} House", gateway=f"gw.{site}",
            upstream=upstream,
        )  # fmt: skip
        return self

    def asset(self, asset: str, owner: str | None = "3C ICT") -> "Scene":
        """An asset of the site before its first hyphen."""
        site = asset.partition("-")[0]
        if site not in self.sites:
            self.site(site)
        self.assets.setdefault(
            asset, Asset(id=asset, site=site, kind="server", address=f"a.{asset}", owner=owner)
        )
        return self

    def check(
        self,
        host: str,
        probe: ProbeKind,
        facts: Mapping[str, Scalar | tuple[Scalar, Passport]],
        *,
        outcome: Outcome = Outcome.COMPLETED,
        failure: Failure | None = None,
        reason: str | None = None,
        detail: str = "",
        target: str | None = None,
        start_s: float = 1.0,
    ) -> "Scene":
        """One check. `host` is `site-thing`, `gateway:<site>`, or `lone:<target>`."""
        kind, _, rest = host.partition(":")
        site: str | None
        asset: str | None
        if kind == "gateway":
            self.site(rest) if rest not in self.sites else None
            name, site, asset = f"site.{rest}:gateway", rest, None
        elif kind == "lone":
            name, site, asset = rest, None, None
        else:
            self.asset(host)
            name, site, asset = host, self.assets[host].site, host
        base = f"{name}:{probe}" + (f":{detail}" if detail else "")
        target = target or f"a.{rest or host}"
        rounds = sum(one.id.partition("#")[0] == base for one in self.checks)
        check_id = base if not rounds else f"{base}#{rounds + 1}"
        self.checks.append(
            CheckResult(
                check_id, probe, "scdc" if site else None, site, asset, target,
                outcome, failure, reason or (str(failure) if failure else None), start_s,
                start_s + 2,
            )
        )  # fmt: skip
        for index, (name, value) in enumerate(facts.items(), 1):
            plain, method = value if isinstance(value, tuple) else (value, {})
            self.observations.append(
                Observation(
                    f"{check_id}/{index}", check_id, name, plain, t_s=start_s + 1,
                    failure=failure if plain is None else None, method=method,
                )
            )  # fmt: skip
        return self

    def ping(
        self,
        host: str,
        lost: int = 0,
        sent: int = 20,
        rtt_s: float = 0.02,
        burst: float | None = None,
        r_factor: float | None = 90.0,
        heard_loss: float | None = None,
        **more: Scalar | tuple[Scalar, Passport],
    ) -> "Scene":
        answered = sent > lost
        passport: dict[str, Scalar] = {"codec": "G.711+PLC", "delay_variant": "default-echo"}
        if heard_loss is not None:
            passport["loss_ratio"] = heard_loss
        facts: dict[str, Scalar | tuple[Scalar, Passport]] = {
            "packets_sent_count": sent,
            "packets_received_count": sent - lost,
            "packet_loss_ratio": lost / sent,
            "packet_loss_burst_ratio": (burst or 1.0) if 0 < lost < sent else None,
            "round_trip_delay_min_s": rtt_s * 0.95 if answered else None,
            "round_trip_delay_median_s": rtt_s if answered else None,
            "r_factor": (r_factor, passport) if answered else None,
            **more,
        }
        return self.check(host, "ping", facts)

    def silent(self, *hosts: str, sent: int = 20) -> "Scene":
        for host in hosts:
            self.ping(host, lost=sent, sent=sent)
        return self

    def failing(self, host: str, probe: ProbeKind, failure: Failure, **more: Scalar) -> "Scene":
        """A check that a step stopped."""
        first = {"sip": "sip_status_code", "dns": "dns_response_time_s"}.get(
            probe, "tcp_connect_time_s"
        )
        facts: dict[str, Scalar | tuple[Scalar, Passport]] = {first: None, **more}
        return self.check(host, probe, facts, outcome=Outcome.FAILED, failure=failure)

    def sip(
        self, host: str, status: int, phrase: str = "", copies: int = 1, **more: Scalar
    ) -> "Scene":
        facts: dict[str, Scalar | tuple[Scalar, Passport]] = {
            "sip_response_delay_s": 0.02 if copies == 1 else None,
            "sip_transmission_count": copies,
            "sip_status_code": (status, {"reason_phrase": phrase}),
            **more,
        }
        return self.check(host, "sip", facts)

    def not_run(self, host: str, probe: ProbeKind, reason: str) -> "Scene":
        return self.check(host, probe, {}, outcome=Outcome.NOT_RUN, reason=reason)

    def busy(self, instrument: Instrument) -> "Scene":
        self.instrument = instrument
        return self

    def record(self) -> Record:
        return Record(
            tool=Tool("0.1.0"),
            run=Run("r1", self.kind, "desk", STARTED, FINISHED, instrument=self.instrument),
            inventory=Inventory(
                vantage=Vantage(id="desk", site=self.vantage_site),
                severity=self.severity,
                council=(Council(id="scdc", name="South Cambridgeshire"),),
                site=tuple(self.sites.values()),
                asset=tuple(self.assets.values()),
                line=tuple(self.lines),
            ),
            checks=tuple(self.checks),
            observations=tuple(self.observations),
            past=tuple(self.past),
            events=tuple(self.events),
        )

    def findings(self) -> tuple[Finding, ...]:
        return judge(self.record())

    def ids(self) -> list[str]:
        return [finding.id for finding in self.findings()]

    def only(self, finding_id: str) -> Finding:
        """The one finding of that id; any other finding is an error."""
        (found,) = self.findings()
        assert found.id == finding_id
        return found

    def reordered(self) -> Record:
        record = self.record()
        return replace(
            record,
            checks=record.checks[::-1],
            observations=record.observations[::-1],
            past=record.past[::-1],
            events=record.events[::-1],
        )


def healthy() -> Scene:
    """Two sites and a gateway each, where all is well."""
    scene = Scene()
    for site in ("hall", "depot"):
        scene.ping(f"gateway:{site}")
        for host in ("pbx", "web", "phone"):
            scene.ping(f"{site}-{host}")
        scene.sip(f"{site}-pbx", 200, "OK")
        scene.check(f"{site}-web", "http", {
            "tcp_connect_time_s": 0.01, "http_status_code": 200, "http_status_expected": None,
            "certificate_days_to_expiry": 90,
        })  # fmt: skip
        scene.check(f"{site}-web", "dns", {
            "dns_response_code": "NOERROR", "dns_answer_count": 1, "dns_answer_expected": True,
        }, detail="portal.example", target="dns:portal.example@a.web")  # fmt: skip
    return scene
