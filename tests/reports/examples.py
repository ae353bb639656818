"""Records as a run leaves them, made by hand: one for each thing that a report must say."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from nethealth.case.example import example
from nethealth.case.parsing import parse_case
from nethealth.case.result import work_out
from nethealth.model.case_codec import plain
from nethealth.model.check import CheckResult, ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.finding import Direction, Finding, FindingCode, Refutation, Severity, Verdict
from nethealth.model.inventory import Asset, AssetKind, Council, Inventory, Line, Site, Vantage
from nethealth.model.observation import Observation, Passport, Scalar
from nethealth.model.record import ClockState, Instrument, Pacing, Record, Run, Tool

STARTED = datetime(2026, 7, 22, 19, 3, 55, tzinfo=UTC)  # British Summer Time in Cambridge
FINISHED = STARTED + timedelta(seconds=41)

COUNCILS = (
    Council(id="scdc", name="South Cambridgeshire District Council"),
    Council(id="hdc", name="Huntingdonshire District Council"),
    Council(id="ccc", name="Cambridge City Council"),
)
SITES = (
    Site(id="hall", council="scdc", name="South Cambridgeshire Hall", staff=320, extensions=280),
    Site(id="waterbeach", council="scdc", name="Waterbeach Depot", staff=140),
    Site(id="pathfinder", council="hdc", name="Pathfinder House", staff=410, extensions=370),
    Site(id="eastfield", council="hdc", name="Eastfield House Depot", staff=95),
    Site(id="leisure", council="hdc", name="One Leisure St Ives", staff=60),
    Site(id="guildhall", council="ccc", name="The Guildhall", staff=380),
    Site(id="mandela", council="ccc", name="Mandela House", staff=210),
    Site(id="crematorium", council="ccc", name="City Crematorium", staff=22),
)
ASSETS: tuple[tuple[str, str, AssetKind, str], ...] = (
    ("hall-pbx", "hall", "pbx", "198.18.2.10"),
    ("hall-dns", "hall", "server", "198.18.2.53"),
    ("waterbeach-ata", "waterbeach", "ata", "198.18.3.20"),
    ("pathfinder-sbc", "pathfinder", "sbc", "198.18.4.10"),
    ("pathfinder-web", "pathfinder", "service", "198.18.4.80"),
    ("eastfield-switch", "eastfield", "switch", "198.18.5.2"),
    ("leisure-gateway", "leisure", "gateway", "198.18.6.1"),
    ("guildhall-pbx", "guildhall", "pbx", "198.18.7.10"),
    ("mandela-phone", "mandela", "phone", "198.18.8.31"),
)
INVENTORY = Inventory(
    vantage=Vantage(id="hq-laptop", site="pathfinder", timezone="Europe/London"),
    council=COUNCILS,
    site=SITES,
    asset=tuple(
        Asset(id=key, site=site, kind=kind, address=address, owner="3C ICT")
        for key, site, kind, address in ASSETS
    ),
)
_COUNCIL_OF = {site.id: site.council for site in SITES}
# Wilson 95 % intervals for k of 20, worked from the score formula.
WILSON_20 = {0: (0.0, 0.1611), 1: (0.0089, 0.2361), 3: (0.0524, 0.3604), 20: (0.8389, 1.0)}


class Draft:
    """Gathers a record check by check."""

    def __init__(self) -> None:
        self.checks: list[CheckResult] = []
        self.observations: list[Observation] = []
        self.findings: list[Finding] = []

    def check(
        self,
        asset: str,
        probe: ProbeKind,
        target: str,
        seen: Iterable[tuple[str, Scalar, str | None, Passport]] = (),
        *,
        outcome: Outcome = Outcome.COMPLETED,
        failure: Failure | None = None,
        reason: str | None = None,
        suffix: str = "",
        at_s: float = 1.0,
    ) -> str:
        site = next((site for key, site, _, _ in ASSETS if key == asset), None)
        key = f"{asset}:{probe}{suffix}"
        self.checks.append(
            CheckResult(key, probe, _COUNCIL_OF.get(site or ""), site, asset if site else None,
                        target, outcome, failure, reason, at_s, at_s + 4)
        )  # fmt: skip
        for name, value, unit, method in seen:
            self._observe(key, name, value, unit, method, failure, at_s)
        return key

    def ping(self, asset: str, median_ms: float | None, lost: int = 0, suffix: str = "") -> None:
        target = next((address for key, _, _, address in ASSETS if key == asset), asset)
        at_s = 1.0 + 60 * (int(suffix[1:]) - 1 if suffix else 0)
        key = self.check(asset, "ping", target, suffix=suffix, at_s=at_s)
        passport: Passport = {"address": target, "ip_version": 4}
        self._observe(key, "packet_loss_ratio", lost / 20, "1", passport, None, at_s)
        self.observations[-1] = replace(self.observations[-1], samples=20, interval=WILSON_20[lost])
        for word, factor in (("min", 0.9), ("median", 1.0), ("p95", 1.35), ("max", 1.6)):
            value = None if median_ms is None else median_ms * factor / 1000
            silent = Failure.TIMEOUT if value is None else None
            name = f"round_trip_delay_{word}_s"
            self._observe(key, name, value, "s", passport, silent, at_s)
            self.observations[-1] = replace(self.observations[-1], samples=20 - lost)
        if median_ms is not None:
            self._observe(key, "pdv_p99_s", median_ms / 2500, "s", passport, None, at_s)
            voice: Passport = {"codec": "PCMU", "one_way_delay": "half the round trip"}
            self._observe(key, "r_factor", 92.3 - 4 * lost, None, voice, None, at_s)
            self._observe(key, "mos_cqe", 4.38 - 0.2 * lost, None, voice, None, at_s)

    def _observe(
        self, key: str, name: str, value: Scalar, unit: str | None, method: Passport,
        failure: Failure | None, at_s: float,
    ) -> None:  # fmt: skip
        number = sum(seen.check == key for seen in self.observations) + 1
        self.observations.append(
            Observation(f"{key}/{number}", key, name, value, unit, at_s + 2.5, None, None,
                        failure if value is None else None, method)
        )  # fmt: skip

    def find(
        self,
        code: FindingCode,
        place: str,
        severity: Severity,
        statement: str,
        action: str,
        *,
        asset: str | None = None,
        site: str | None = None,
        verdict: Verdict = Verdict.DEMONSTRATED,
        direction: Direction | None = None,
        evidence: tuple[str, ...] = (),
        refutations: tuple[Refutation, ...] = (),
        missing: tuple[str, ...] = (),
        alternatives: tuple[str, ...] = (),
    ) -> None:
        self.findings.append(
            Finding(f"{code}:{place}", code, _COUNCIL_OF.get(site or ""), site, asset, STARTED,
                    FINISHED, severity, verdict, direction, statement, action, (), evidence,
                    refutations, missing, alternatives)
        )  # fmt: skip

    def record(self, kind: str = "sweep", **run: object) -> Record:
        base = Run(
            id="20260722T190355Z-hq-laptop",
            kind="sweep",
            vantage="hq-laptop",
            started=STARTED,
            finished=FINISHED,
            clock=ClockState("chrony", True, 0.0021, 0.0),
            pacing=Pacing(1000, 50, 17.0, 1, None, 40.6),
            instrument=Instrument(0.0012, 0.0031, 0.0004, 0, ()),
        )
        return Record(
            tool=Tool("0.1.0"),
            run=replace(base, kind=kind, **run),  # type: ignore[arg-type]
            inventory=INVENTORY,
            checks=tuple(self.checks),
            observations=tuple(self.observations),
            findings=tuple(self.findings),
        )


_PLAIN: Passport = {}


def _sip(
    status: int, phrase: str, delay_s: float | None, copies: int = 1
) -> list[tuple[str, Scalar, str | None, Passport]]:
    return [
        ("sip_response_delay_s", delay_s, "s", {"transport": "udp"}),
        ("sip_transmission_count", copies, None, _PLAIN),
        ("sip_status_code", status, None, {"reason_phrase": phrase}),
        ("sip_server", "Avaya CM/R016x.03", None, _PLAIN),
        ("sip_allow", "INVITE, ACK, BYE, CANCEL, OPTIONS", None, _PLAIN),
    ]


def _web(days: float) -> list[tuple[str, Scalar, str | None, Passport]]:
    return [
        ("tcp_connect_time_s", 0.0041, "s", _PLAIN),
        ("tls_handshake_time_s", 0.0123, "s", _PLAIN),
        ("tls_version", "TLSv1.3", None, _PLAIN),
        ("tls_chain_verified", True, None, _PLAIN),
        ("tls_name_matched", True, None, {"names": ("portal.example",)}),
        ("certificate_days_to_expiry", days, "d", {"issuer": "CN=Example CA"}),
        ("http_first_byte_time_s", 0.0312, "s", _PLAIN),
        ("http_status_code", 200, None, _PLAIN),
        ("http_total_time_s", 0.0345, "s", _PLAIN),
    ]


def _dns() -> list[tuple[str, Scalar, str | None, Passport]]:
    return [
        ("dns_response_time_s", 0.0021, "s", _PLAIN),
        ("dns_response_code", "NOERROR", None, _PLAIN),
        ("dns_answer_count", 1, None, {"answers": ("198.18.4.80",)}),
        ("dns_answer_expected", True, None, _PLAIN),
    ]


def degraded() -> Record:
    """Three councils: an overloaded PBX, a silent site, a lossy site, and one left alone."""
    draft = Draft()
    for asset, median_ms, lost in (
        ("hall-pbx", 48.2, 0), ("hall-dns", 2.1, 0), ("pathfinder-sbc", 0.42, 0),
        ("pathfinder-web", 0.51, 0), ("leisure-gateway", 22.4, 3), ("guildhall-pbx", 3.9, 0),
        ("mandela-phone", 5.2, 0), ("eastfield-switch", None, 20),
    ):  # fmt: skip
        draft.ping(asset, median_ms, lost)
    draft.check("hall-pbx", "sip", "sip:198.18.2.10", _sip(503, "Service Unavailable", None, 3))
    draft.check("guildhall-pbx", "sip", "sip:198.18.7.10", _sip(200, "OK", 0.0118))
    draft.check("pathfinder-web", "http", "https://198.18.4.80/", _web(12.4))
    draft.check("hall-dns", "dns", "dns:portal.example@198.18.2.53", _dns())
    draft.check("waterbeach-ata", "ping", "198.18.3.20", outcome=Outcome.NOT_RUN,
                reason="blackout at waterbeach, mon-fri 19:00 to 21:00")  # fmt: skip
    draft.find(
        "site-outage", "eastfield", Severity.CRITICAL,
        "Eastfield House Depot was silent: none of 20 packets to its 1 host was answered, while "
        "five other sites answered in the same 41 seconds.",
        "Ask the site whether it has power, then test the line with its provider.",
        site="eastfield", evidence=("eastfield-switch:ping/1",),
        refutations=(Refutation("Did any other site answer?", "yes, five of them"),),
        missing=("a measurement from a second vantage",),
        alternatives=("a firewall that drops ICMP",),
    )  # fmt: skip
    draft.find(
        "sip-overload", "hall-pbx", Severity.WARNING,
        "hall-pbx answered 503 Service Unavailable to the third transmission: it is up and "
        "refusing work.",
        "Read the load and the log of the SIP server for this time before it is asked more often.",
        asset="hall-pbx", site="hall", evidence=("hall-pbx:sip/2", "hall-pbx:sip/3"),
        alternatives=("a planned drain for maintenance",),
    )  # fmt: skip
    draft.find(
        "packet-loss", "leisure", Severity.WARNING,
        "One Leisure St Ives lost 3 of 20 packets (15.0 %, 95 % interval 5.2 % to 36.0 %).",
        "Read the error and discard counters of each interface on the path, and repeat the "
        "measurement at a quiet hour.",
        site="leisure", evidence=("leisure-gateway:ping/1",),
    )  # fmt: skip
    draft.find(
        "certificate-expiry", "pathfinder-web", Severity.WARNING,
        "The certificate of pathfinder-web expires in 12 days.",
        "Renew the certificate, and have its renewal watched.",
        asset="pathfinder-web", site="pathfinder", evidence=("pathfinder-web:http/6",),
    )  # fmt: skip
    draft.find(
        "poor-voice-quality", "mandela-phone", Severity.INFO,
        "Voice quality to mandela-phone could not be told from good.", "Measure more packets.",
        asset="mandela-phone", site="mandela", verdict=Verdict.INSUFFICIENT_DATA,
    )  # fmt: skip
    draft.find(
        "unowned-asset", "estate", Severity.INFO, "2 assets have no owner: hall-dns, leisure.",
        "Name an owner for each asset in the inventory.",
    )  # fmt: skip
    return draft.record()


def many_alike(amount: int = 25) -> Record:
    """So many telephones of one site silent, out of natural order, and one short of a SIP host."""
    record = degraded()
    sample = record.findings[0]
    phones = tuple(
        replace(
            sample, id=f"host-down:phone-{n}", code="host-down", council="scdc", site="hall",
            asset=f"phone-{n}", statement=f"phone-{n} is down: none of 20 packets returned.",
            action="Check the power and the network port of the host, on the spot.",
            missing=() if n == 1 else ("any probe of it other than ping",),
            alternatives=("a host that is switched off on purpose",),
        )
        for n in range(amount, 0, -1)
    )  # fmt: skip
    return replace(record, findings=(*phones, *record.findings))


def demonstration() -> Record:
    record = degraded()
    title = "Demonstration on a simulated network: no real site was measured"
    return replace(record, run=replace(record.run, kind="demo", title=title))


def all_clear() -> Record:
    draft = Draft()
    for index, (asset, _, _, _) in enumerate(ASSETS):
        draft.ping(asset, 1.5 + index)
    draft.check("guildhall-pbx", "sip", "sip:198.18.7.10", _sip(200, "OK", 0.0118))
    record = draft.record()
    sites = tuple(site for site in SITES if site.id != "crematorium")
    return replace(record, inventory=replace(INVENTORY, site=sites))


def acquitted() -> Record:
    """Calls suffer, and the telephony is not to blame."""
    draft = Draft()
    for index, (asset, _, _, _) in enumerate(ASSETS):
        draft.ping(asset, 1.5 + index, 3 if asset in ("hall-pbx", "hall-dns") else 0)
    draft.find(
        "provider-loss", "hall", Severity.WARNING,
        "Packets to South Cambridgeshire Hall are lost in the provider's network, on idle lines "
        "and during calls alike.",
        "Report the loss to the provider with this record.",
        site="hall", verdict=Verdict.SUPPORTED, direction=Direction.NOT_TELEPHONY,
        evidence=("hall-pbx:ping/1", "hall-dns:ping/1"),
    )  # fmt: skip
    return draft.record()


def one_target() -> Record:
    draft = Draft()
    draft.ping("198.18.2.10", 12.31)
    record = draft.record("check")
    return replace(record, inventory=Inventory())


def cut_off() -> Record:
    draft = Draft()
    for asset, _, _, _ in ASSETS:
        draft.ping(asset, None, 20)
    draft.find(
        "instrument-limited", "hq-laptop:link", Severity.INFO,
        "The measuring machine hq-laptop was itself cut off: every one of 7 remote sites was "
        "silent at once. No other site is judged.",
        "Mend the link of the measuring machine. Put the measuring machine right and measure "
        "again; `nethealth doctor` says what it lacks.",
        evidence=tuple(f"{asset}:ping/1" for asset, _, _, _ in ASSETS),
    )  # fmt: skip
    return draft.record()


def not_measured() -> Record:
    draft = Draft()
    for asset, _, _, address in ASSETS:
        draft.check(asset, "ping", address, outcome=Outcome.NOT_RUN,
                    reason="no ICMP socket: ping_group_range excludes this user")  # fmt: skip
    return draft.record()


def rounds() -> Record:
    """A steady run: ten rounds a minute apart, one of them lossy and one silent."""
    draft = Draft()
    for number in range(1, 11):
        suffix = "" if number == 1 else f"#{number}"
        for asset, median_ms in (("hall-pbx", 20.0), ("leisure-gateway", 30.0)):
            silent = number == 6 and asset == "hall-pbx"
            lost = 20 if silent else 1 if number == 4 else 0
            draft.ping(asset, None if silent else median_ms + number, lost, suffix)
    pacing = Pacing(1000, 50, None, 10, 60.0, 560.0)
    return draft.record(pacing=pacing, finished=STARTED + timedelta(seconds=560))


def with_case() -> Record:
    """The faulty estate with lines and the example of a business case, watched for four weeks."""
    record = degraded()
    lines = (
        Line(id="hall-lift", site="hall", kind="analogue", use="lift alarm", owner="Facilities"),
        Line(id="hall-trunk", site="hall", kind="isdn30", use="exchange trunk"),
    )
    longer = replace(
        record,
        inventory=replace(record.inventory, line=lines),
        run=replace(record.run, pacing=replace(record.run.pacing, observed_s=28 * 86_400.0)),
        findings=tuple(
            replace(one, from_=one.from_.replace(hour=9), to=one.from_.replace(hour=11))
            for one in record.findings
        ),
    )
    return replace(longer, case=plain(work_out(parse_case(example(), longer.inventory), longer)))


def equipped() -> Record:
    """Two halls in one building whose kit was read by SNMP, and a register that is behind."""
    draft = Draft()
    place: Passport = {"address": "198.18.2.2", "ip_version": 4, "port": 161}
    med: Passport = {
        **place, "protocol": "lldp", "interface": "Gi1/0/7", "chassis": "00:1b:4f:00:00:07",
        "port": "00:1b:4f:00:00:07", "description": "Avaya 9611G", "capabilities": ["telephone"],
        "manufacturer": "Avaya", "model": "9611G", "firmware": "S9611_6.8.5", "serial": "13N507",
    }  # fmt: skip
    draft.ping("hall-pbx", 2.0)
    draft.ping("guildhall-pbx", None, 20)
    draft.check("hall-dns", "snmp", "198.18.2.2", [
        ("snmp_security", "v2c", None, place),
        ("system_name", "hall-core.example", None, place),
        ("neighbour_count", 3, "neighbours", place),
        ("neighbour_name", "name-qnj7bzlicrhs", None, med),
        ("neighbour_name", "HALL-PBX.example", None,
         {**place, "protocol": "lldp", "interface": "Gi1/0/1", "chassis": "00:1b:4f:aa:00:01",
          "port": "eth0", "description": "Exchange 12", "capabilities": ["station"]}),
        ("neighbour_name", "cellar-switch", None,
         {**place, "protocol": "cdp", "interface": "Gi1/0/24", "port": "Gi0/1",
          "description": "WS-C2950", "duplex": "full"}),
        ("arp_entry", "00:1b:4f:aa:00:01", None,
         {**place, "ip": "198.18.2.10", "interface": "Vlan2"}),
        ("forwarding_port_address_count", 2, "addresses",
         {**place, "interface": "Gi1/0/9",
          "addresses": ["00:1b:4f:00:00:07", "02:00:00:00:00:99"]}),
        ("poe_supply_power_w", 370.0, "W", {**place, "poe_supply": 1}),
        ("poe_supply_consumption_w", 120.0, "W", {**place, "poe_supply": 1}),
        ("poe_supply_status", "on", None, {**place, "poe_supply": 1}),
        ("ups_output_source", "battery", None, place),
        ("ups_battery_status", "normal", None, place),
        ("ups_runtime_left_s", 1920.0, "s", place),
        ("temperature_celsius", 24.5, "°C", {**place, "sensor": "rack 1", "mib": "uio"}),
        ("temperature_celsius", 21.0, "°C", {**place, "sensor": "rack 2", "mib": "uio"}),
    ])  # fmt: skip
    draft.find(
        "obsolete-security", "hall-dns", Severity.WARNING,
        "hall-dns is read by SNMP v2c, whose password travels in the clear.",
        "Move it to version 3.", asset="hall-dns", site="hall", evidence=("hall-dns:snmp/1",),
    )  # fmt: skip
    hall, second = SITES[0], SITES[5]
    sites = (
        replace(
            hall, gateway="198.18.2.1", upstream="provider-a", building="The Civic Centre",
            cooling_units=1,
        ),
        replace(
            second, council="scdc", upstream="provider-a", backup_upstream="provider-b",
            building="The Civic Centre", cooling_units=0, ups=0,
        ),
    )  # fmt: skip
    assets = (
        Asset(id="hall-pbx", site="hall", kind="pbx", address="198.18.2.10", owner="3C ICT",
              model="Exchange 11", installed=2004, end_of_support=date(2018, 12, 31)),
        Asset(id="hall-dns", site="hall", kind="switch", address="198.18.2.2", owner="3C ICT",
              installed=2022, end_of_support=date(2027, 3, 1)),
        Asset(id="guildhall-pbx", site="guildhall", kind="pbx", address="198.18.7.10"),
        Asset(id="guildhall-probe", site="guildhall", kind="sensor", address="198.18.7.11",
              owner="Facilities"),
    )  # fmt: skip
    lines = (Line(id="hall-lift", site="hall", kind="analogue", use="lift alarm"),)
    record = draft.record()
    inventory = replace(
        INVENTORY, council=COUNCILS[:1], site=sites, asset=assets, line=lines,
        vantage=replace(INVENTORY.vantage, site="hall"),
    )  # fmt: skip
    return replace(record, inventory=inventory)


def captured() -> Record:
    """A capture of two calls, one of them refused, with a registration and a far end's claims."""
    draft = Draft()
    offered: Passport = {
        "call": 1, "call_id": "a84b4c76e66710", "status_code": 200, "caller_party": 1,
        "callee_party": 2, "ended_by": "caller", "reason": "Q.850 16", "codec_chosen": "PCMA",
        "codecs_offered": ["PCMA", "TELEPHONE-EVENT"], "challenges": 1, "reinvites": 0,
        "began_before": False, "still_going": False, "acknowledged": True,
    }  # fmt: skip
    refused: Passport = {
        "call": 2, "call_id": "f00", "status_code": 503, "caller_party": 2, "callee_party": 1,
        "ended_by": None, "reason": None, "codecs_offered": [], "challenges": 0,
        "began_before": False, "still_going": False, "acknowledged": None,
    }  # fmt: skip
    ladder: Passport = {
        "call": 1, "places": ["198.18.2.31:5060", "198.18.2.10:5060", "198.18.4.10:5060"],
        "times_s": [0.0, 0.1, 0.15, 0.6, 2.0, 2.1, 60.0, 60.25],
        "from": [0, 1, 1, 2, 1, 0, 0, 1], "to": [1, 0, 2, 1, 0, 1, 1, 0],
        "labels": ["INVITE", "100 Trying", "INVITE", "180 Ringing", "200 OK", "ACK", "BYE",
                   "200 OK"],
        "of": ["", "INVITE", "", "INVITE", "INVITE", "", "", "BYE"],
        "media": [True, False, True, False, True, False, False, False],
        "again": [False] * 8, "left_out": 3,
    }  # fmt: skip
    short: Passport = {
        "call": 2, "places": ["198.18.2.10:5060", "198.18.4.10:5060"], "times_s": [0.0, 0.5, 0.7],
        "from": [0, 0, 1], "to": [1, 1, 0], "labels": ["INVITE", "INVITE", "503 Overloaded"],
        "of": ["", "", "INVITE"], "media": [False] * 3, "again": [False, True, False],
        "left_out": 0,
    }  # fmt: skip
    stream: Passport = {
        "ssrc": "0x0000abcd", "source": "198.18.2.10:20000", "destination": "198.18.2.31:40000",
        "bin_s": 1.0, "expected": [50] * 10, "lost": [0, 0, 0, 25, 5, 0, 0, 0, 0, 1],
    }  # fmt: skip
    claim: Passport = {
        "source": "far end", "reporter": "198.18.2.31:40001", "ssrc": "0x0000abcd",
        "seen_lost": 31, "seen_expected": 500,
    }  # fmt: skip
    ser: Passport = {"standard": "RFC 6076 section 4.6", "definition": "INVITEs answered by 2xx"}
    rrd: Passport = {"standard": "RFC 6076 section 4.1", "definition": "REGISTER to 200"}
    account: Passport = {
        "party": 1, "successes": 3, "challenges": 4, "removals": 0, "failure_codes": [403, None],
        "failure_counts": [2, 1], "expiry_asked_s": 3600, "expiry_granted_s": 600, "left_out": 0,
    }  # fmt: skip
    rate: Passport = {"bin_s": 2, "requests": [1, 0, 4, 3, 0, 2], "refusals": [0, 0, 2, 0, 0, 0]}
    draft.check("198.18.2.10", "capture", "hall.pcap", [
        ("packet_count", 12345, "packets", _PLAIN),
        ("capture_duration_s", 96.5, "s", _PLAIN),
        ("sip_request_count", 4, None, {"sip_method": "INVITE"}),
        ("sip_response_count", 2, None, {"status_code": 200}),
        ("call_count", 2, None, _PLAIN),
        ("call_outcome_count", 1, None, {"outcome": "answered"}),
        ("call_outcome_count", 1, None, {"outcome": "rejected"}),
        ("sip_retransmission_count", 1, None, {"message": "INVITE"}),
        ("call_outcome", "answered", None, offered),
        ("post_dial_delay_s", 0.6, "s", {"call": 1}),
        ("answer_delay_s", 2.0, "s", {"call": 1}),
        ("talk_time_s", 58.0, "s", {"call": 1}),
        ("call_retransmission_count", 0, None, {"call": 1}),
        ("call_message_count", 11, None, ladder),
        ("media_endpoint_announced", "198.18.2.31:40000", None, {"call": 1, "side": "caller"}),
        ("call_media_seen", "both ways", None, {"call": 1, "expected": "both ways"}),
        ("rtp_packets_lost_in_a_bin_max", 25, "packets", stream),
        ("call_outcome", "rejected", None, refused),
        ("call_retransmission_count", 1, None, {"call": 2}),
        ("call_message_count", 3, None, short),
        ("registration_attempt_count", 3, None, {"outcome": "succeeded"}),
        ("registration_attempt_count", 3, None, {"outcome": "failed"}),
        ("registration_requests_per_s_max", 2.0, "1/s", rate),
        ("account_registration_count", 6, None, account),
        ("registration_request_delay_median_s", None, "s", rrd),
        ("session_establishment_ratio", 0.5, "1", ser),
        ("far_end_packet_loss_ratio", 0.06, "1", claim),
        ("far_end_mos_lq", 3.9, "1", claim),
        ("rtcp_round_trip_delay_median_s", 0.0312, "s", claim),
        ("sip_party", "sip:number-na3ztq7twj66@hall.example", None, {"party": 1}),
        ("sip_party", "sip:name-qnj7bzlicrhs@hall.example", None, {"party": 2}),
    ])  # fmt: skip
    draft.observations = [
        replace(seen, samples=2, interval=(0.0945, 0.9055))
        if seen.name == "session_establishment_ratio"
        else seen
        for seen in draft.observations
    ]
    record = draft.record("capture")
    return replace(record, inventory=Inventory())


ALL = {
    "with a case": with_case,
    "captured": captured,
    "equipped": equipped,
    "degraded": degraded,
    "demonstration": demonstration,
    "many-alike": many_alike,
    "all-clear": all_clear,
    "acquitted": acquitted,
    "one-target": one_target,
    "cut-off": cut_off,
    "not-measured": not_measured,
    "rounds": rounds,
}
